import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'chai';
import { apiAt } from '../../support/api.ts';
import { startOtlpReceiver } from '../../support/otlp-receiver.ts';
import { startReceiver } from '../../support/receiver.ts';
import { startStack } from '../../support/stack.ts';
import { waitFor } from '../../support/wait.ts';

type Line = Readonly<Record<string, unknown>>;

/** The log's own lines: the supervisor says what it does in words. */
const linesIn = (output: string): Line[] =>
  output.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Line] : []));
const said = (output: string, msg: string) => linesIn(output).filter((line) => line.msg === msg);

/** What must be in no line. */
const SECRET = 'nobody-may-read-this';

describe('the log', () => {
  it('has a line of each request and of each attempt, with what they are found by, and nothing of what they hold', async () => {
    const [receiver, collector] = [await startReceiver(), await startOtlpReceiver()];
    const env = { LOG_LEVEL: 'debug', RETRY_INTERVAL: '200ms', OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
    const stack = await startStack({ env });
    try {
      const { call, newChannel, newWebhook } = apiAt(stack.url);
      const channel = await newChannel();
      const hook = await newWebhook(channel, receiver.url(`/hook?token=${SECRET}`), { headers: { 'x-key': SECRET } });
      let failing = 1;
      receiver.reply(() => ({ status: failing-- > 0 ? 500 : 200, body: SECRET }), '/hook');
      const path = `/v1/channels/${channel.id}/events`;
      const json = { event_name: 'a', ext_ref_code: SECRET, data: { card: SECRET } };
      const headers = { 'x-request-id': 'request-of-mine', cookie: SECRET, 'idempotency-key': SECRET };
      const { body: event } = await call('POST', path, { key: channel.publisher_key, json, headers });
      await call('GET', `${path}?ext_ref_code=${SECRET}`, { key: channel.publisher_key });
      const attempts = await waitFor(
        'two attempts',
        () => said(stack.output(), 'attempted'),
        ({ length }) => length === 2,
      );
      const [requested] = said(stack.output(), 'answered').filter(({ request_id }) => request_id === 'request-of-mine');
      expect(requested).to.include({ method: 'POST', path, route: '/v1/channels/:channel/events', status: 201 });
      expect(requested).to.include({
        by: 'publisher',
        channel_id: channel.id,
        created_id: event.id,
        service: 'gateway',
      });
      const { trace_id } = requested as { trace_id: string };
      expect(trace_id).to.match(/^[0-9a-f]{32}$/);
      const ids = { channel_id: channel.id, event_id: event.id, webhook_id: hook.id, trace_id, service: 'delivery' };
      expect(attempts[0]).to.include({ ...ids, attempt: 1, trigger: 'publish', outcome: 'retrying', status_code: 500 });
      expect(attempts[1]).to.include({ ...ids, attempt: 2, trigger: 'retry', outcome: 'delivered', status_code: 200 });
      for (const secret of [SECRET, channel.publisher_key, hook.subscriber_key, hook.signing_secret]) {
        expect(stack.output()).not.to.include(secret);
      }
    } finally {
      await stack.stop();
      await receiver.close();
      await collector.close();
    }
  });

  it('has at info what has failed for good, and not what went well', async () => {
    const receiver = await startReceiver();
    receiver.reply(({ path }) => ({ status: path === '/bad' ? 500 : 200 }));
    const stack = await startStack({ env: { LOG_LEVEL: 'info', RETRY_WINDOW: '0s' } });
    try {
      const api = apiAt(stack.url);
      const channel = await api.newChannel();
      const [good, bad] = [
        await api.newWebhook(channel, receiver.url('/good')),
        await api.newWebhook(channel, receiver.url('/bad')),
      ];
      const { id } = await api.publish(channel);
      await waitFor(
        'both attempts',
        () => api.log(channel, id),
        (log) => log.every(({ attempts }) => attempts.length === 1),
      );
      const attempted = await waitFor(
        'a line',
        () => said(stack.output(), 'attempted'),
        ({ length }) => length > 0,
      );
      expect(attempted.map(({ webhook_id }) => webhook_id))
        .to.deep.equal([bad.id])
        .and.not.include(good.id);
      expect(said(stack.output(), 'answered')).to.deep.equal([]);
    } finally {
      await stack.stop();
      await receiver.close();
    }
  });

  it('is for people on a terminal', async function () {
    if (spawnSync('script', ['--version']).error) {
      console.log('      there is no `script` here to make a terminal with: not tried');
      this.skip();
    }
    const program = `
      import { createLog } from ${JSON.stringify(join(import.meta.dirname, '../../../infra/log.ts'))};
      createLog('gateway', 'info').info({ request_id: 'abc' }, 'answered');`;
    const command = `${process.execPath} --input-type=module -e "$PROGRAM"`;
    const lines = async (onTerminal: boolean) => {
      const [file, args] = onTerminal ? ['script', ['-qec', command, '/dev/null']] : ['sh', ['-c', command]];
      const child = spawn(file as string, args as string[], {
        env: { ...process.env, NO_COLOR: '1', PROGRAM: program },
      });
      return (await child.stdout.setEncoding('utf8').toArray()).join('');
    };
    expect(await lines(true)).to.match(/^\[\d\d:\d\d:\d\d\.\d{3}\] INFO.*gateway: answered \{"request_id":"abc"\}/);
    expect(JSON.parse(await lines(false))).to.include({ service: 'gateway', msg: 'answered', request_id: 'abc' });
  });
});
