import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { readModelsFile } from '../../../projections/generations.ts';
import { type Api, apiAt, type NewWebhook } from '../../support/api.ts';
import { audit, launchAudit } from '../../support/audit.ts';
import { type Receiver, startReceiver } from '../../support/receiver.ts';
import { newDataDir, type Stack, startStack } from '../../support/stack.ts';
import { waitFor } from '../../support/wait.ts';

const ROOT = join(import.meta.dirname, '../../..');

interface Line {
  readonly position: number;
  readonly recorded_at: string;
  readonly stream: string;
  readonly type: string;
  readonly data: Record<string, unknown>;
}

const linesIn = (printed: string): Line[] =>
  printed
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

describe('webhooks-audit', function () {
  this.timeout(120_000);
  let stack: Stack;
  let api: Api;
  let receiver: Receiver;
  before(async () => {
    receiver = await startReceiver();
    stack = await startStack({ env: { TREE_HEAD_INTERVAL: '200ms' } });
    api = apiAt(stack.url);
  });
  after(async () => {
    await stack?.stop();
    await receiver?.close();
  });

  interface Scene {
    readonly channel: { readonly id: number; readonly publisher_key: string };
    readonly webhook: NewWebhook;
    readonly events: readonly { readonly id: number }[];
  }

  /** A channel with a webhook and delivered events. */
  async function makeScene({ count = 2 } = {}): Promise<Scene> {
    const channel = await api.newChannel();
    const webhook = await api.newWebhook(channel, receiver.url());
    const events = await Promise.all(Array.from({ length: count }, () => api.publish(channel)));
    await whenDelivered(channel, events);
    return { channel, webhook, events };
  }

  async function whenDelivered(channel: Scene['channel'], events: Scene['events']) {
    for (const { id } of events) {
      const isDelivered = async () => (await api.log(channel, id)).every(({ status }) => status === 'delivered');
      await waitFor('a delivery', isDelivered);
    }
  }

  const replay = async (...args: string[]) => {
    const { code, stdout, stderr } = await audit(stack.dataDir, 'replay', ...args);
    expect(code, stderr).to.equal(0);
    return linesIn(stdout);
  };
  const typesOf = (lines: readonly Line[]) => lines.map(({ type }) => type).sort();

  it('replays facts by channel, webhook, event, type, time and position', async () => {
    const { channel, webhook, events } = await makeScene();
    await makeScene({ count: 1 });
    const all = await replay();
    expect(all.map(({ position }) => position)).to.deep.equal(
      all.map(({ position }) => position).sort((a, b) => a - b),
    );
    const own = await replay('--channel', String(channel.id));
    expect(typesOf(own)).to.deep.equal([
      ...[
        'ChannelCreated',
        'DeliveryAttempted',
        'DeliveryAttempted',
        'EventPublished',
        'EventPublished',
        'WebhookCreated',
      ],
    ]);
    expect(typesOf(await replay('--webhook', String(webhook.id)))).to.deep.equal([
      ...['DeliveryAttempted', 'DeliveryAttempted', 'WebhookCreated'],
    ]);
    const [first] = events;
    const ofFirst = await replay('--event', String(first?.id));
    expect(typesOf(ofFirst)).to.deep.equal(['DeliveryAttempted', 'EventPublished']);
    const attempts = await replay('--channel', String(channel.id), '--type', 'DeliveryAttempted', 'ChannelCreated');
    expect(typesOf(attempts)).to.deep.equal(['ChannelCreated', 'DeliveryAttempted', 'DeliveryAttempted']);
    const [middle] = own.slice(2) as [Line];
    const behind = own.filter(({ position }) => position > middle.position);
    expect(await replay('--channel', String(channel.id), '--after', String(middle.position))).to.deep.equal(
      behind.filter(({ type }) => type !== 'WebhookCreated'),
    );
    const since = await replay('--channel', String(channel.id), '--since', middle.recorded_at);
    const until = await replay('--channel', String(channel.id), '--until', middle.recorded_at);
    expect([...until, ...since]).to.deep.equal(own);
    expect(since[0]?.recorded_at).to.equal(middle.recorded_at);
  });

  it('replays what comes, until it is stopped', async () => {
    const { channel } = await makeScene({ count: 1 });
    const child = launchAudit(stack.dataDir, [
      'replay',
      '--channel',
      String(channel.id),
      '--type',
      'EventPublished',
      '--follow',
    ]);
    const exited = once(child, 'close');
    let printed = '';
    child.stdout?.setEncoding('utf8').on('data', (part) => {
      printed += part;
    });
    await waitFor('the first event', () => linesIn(printed).length === 1);
    const event = await api.publish(channel);
    const [, line] = (await waitFor(
      'the next event',
      () => printed.endsWith('\n') && linesIn(printed),
      (seen) => Array.isArray(seen) && seen.length === 2,
    )) as Line[];
    expect(line?.data.id).to.equal(event.id);
    child.kill('SIGTERM');
    expect((await exited)[0]).to.equal(0);
  });

  it('shows a channel, a webhook and a notification log as they were, deleted ones too', async () => {
    const { channel, webhook, events } = await makeScene({ count: 1 });
    const key = channel.publisher_key;
    const path = `/v1/channels/${channel.id}`;
    await api.call('PUT', path, { key, json: { name: 'renamed' } });
    const [event] = events as [{ id: number }];
    await api.call('POST', `${path}/events/${event.id}/redeliver`, { key, json: { reason: 'to be shown' } });
    await waitFor('the redelivery', async () => (await api.log(channel, event.id))[0]?.attempts.length === 2);
    const missing = { since: '2025-01-01T00:00:00Z', missing: true };
    const late = await api.newWebhook(channel, receiver.url('/late'));
    await api.call('POST', `${path}/webhooks/${late.id}/recover`, { key, json: missing });
    await waitFor('the recovery', async () => (await api.log(channel, event.id))[1]?.status === 'delivered');
    await api.call('DELETE', `${path}/webhooks/${webhook.id}`, { key });
    const log = await api.log(channel, event.id);
    await api.call('DELETE', path, { key });
    const facts = await replay('--channel', String(channel.id));
    const [before = '', , , , renamed = ''] = facts.map(({ recorded_at }) => recorded_at);
    const show = async (...args: string[]) => {
      const { code, stdout, stderr } = await audit(stack.dataDir, 'show', ...args);
      expect(code, stderr).to.equal(0);
      for (const secret of [key, webhook.subscriber_key, webhook.signing_secret]) expect(stdout).to.not.include(secret);
      return JSON.parse(stdout);
    };

    expect(await show('channel', String(channel.id))).to.include({ status: 'deleted', revision: 2, by: 'publisher' });
    const then = await show('channel', String(channel.id), '--at', renamed);
    expect(then).to.include({ status: 'live', revision: 1 });
    expect(then.fields).to.deep.equal({ name: 'renamed', public: false });
    expect(await show('webhook', String(webhook.id))).to.include({ status: 'deleted', revision: 1 });
    const first = await show('webhook', String(webhook.id), '--revision', '0');
    expect(first).to.deep.include({ status: 'live', fields: { webhook_url: receiver.url() } });
    expect(await show('log', String(event.id))).to.deep.equal(log);
    expect(log.map(({ attempts }) => attempts.map(({ trigger }) => trigger).join())).to.deep.equal([
      ...['publish,redeliver', 'redeliver'],
    ]);
    for (const [what, types] of [
      [
        ['--event', event.id],
        ['EventPublished', 'RedeliveryRequested', 'EventsRecovered'],
      ],
      [
        ['--webhook', late.id],
        ['WebhookCreated', 'RecoveryRequested', 'EventsRecovered', 'RecoveryFinished'],
      ],
      [
        ['--channel', channel.id],
        ['RedeliveryRequested', 'RecoveryRequested', 'EventsRecovered'],
      ],
    ] as const) {
      expect(typesOf(await replay(...what.map(String)))).to.include.members([...types]);
    }
    const publishedAt = facts.find(({ type }) => type === 'EventPublished')?.recorded_at ?? '';
    const [entry] = await show('log', String(event.id), '--at', publishedAt);
    expect(entry.attempts.length).to.be.lessThan(2);

    const early = new Date(Date.parse(before) - 1).toISOString();
    for (const what of [
      ['channel', channel.id],
      ['webhook', webhook.id],
      ['log', event.id],
    ]) {
      const { code, stderr } = await audit(stack.dataDir, 'show', ...what.map(String), '--at', early);
      expect([code, stderr.trim().split('\n').length], stderr).to.deep.equal([2, 1]);
    }
  });

  it('shows which webhooks were not sent an event, as the API does', async () => {
    const channel = await api.newChannel();
    const key = channel.publisher_key;
    const path = `/v1/channels/${channel.id}`;
    const json = { webhook_url: receiver.url(), event_names: ['order.*'] };
    const { body: others } = await api.call('POST', `${path}/webhooks`, { key, json });
    const gone = await api.newWebhook(channel, receiver.url('/gone'));
    await api.call('DELETE', `${path}/webhooks/${gone.id}`, { key });
    const event = await api.publish(channel, { event_name: 'user.created' });
    await api.call('PUT', `${path}/webhooks/${others.id}`, { key, json: { event_names: null } });
    const late = await api.newWebhook(channel, receiver.url('/late'));

    const query = `${path}/events/${event.id}/notification_log?include=skipped`;
    const { body: skipped } = await api.call('GET', query, { key });
    expect(skipped.map(({ webhook_id, reason }: Record<string, unknown>) => [webhook_id, reason])).to.deep.equal([
      [others.id, 'event_names'],
      [gone.id, 'deleted_before'],
      [late.id, 'created_later'],
    ]);
    const shown = await audit(stack.dataDir, 'show', 'log', String(event.id), '--skipped');
    expect(JSON.parse(shown.stdout)).to.deep.equal(skipped);
    const without = await audit(stack.dataDir, 'show', 'log', String(event.id));
    expect(JSON.parse(without.stdout)).to.deep.equal([]);
  });

  it('is what package.json names for npx', async () => {
    const { bin, version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    const program = spawn(join(ROOT, bin['webhooks-audit']), ['--version'], { stdio: ['ignore', 'pipe', 'inherit'] });
    expect(await text(program.stdout)).to.equal(`${version}\n`);
  });

  it('says what it takes', async () => {
    for (const args of [
      ['show', 'nothing', '1'],
      ['show', 'log', 'x'],
      ['replay', '--since', 'never'],
      ['verify', '--head', '/nowhere'],
    ]) {
      const { code, stderr } = await audit(stack.dataDir, ...args);
      expect(code, stderr).to.equal(2);
      expect(stderr.trim().split('\n'), stderr).to.have.length(1);
    }
    const nowhere = await audit(newDataDir(), 'replay');
    expect(nowhere).to.deep.include({ code: 2, stdout: '' });
    expect(nowhere.stderr).to.match(/holds no event store/);
  });

  describe('verify', () => {
    /** A head that covers all that is in the log by now, as whoever wants to check later keeps it. */
    async function keepHead(): Promise<string> {
      const { events, channel } = await makeScene({ count: 1 });
      const path = `/v1/channels/${channel.id}/events/${events[0]?.id}/notification_log?proof=1`;
      const { body: head } = (await waitFor('a head that covers it', async () => {
        const log = await api.call('GET', path, { key: channel.publisher_key });
        const isCovered = log.body[0].proof.facts.every(
          ({ leaf_index }: { leaf_index: number | null }) => leaf_index !== null,
        );
        return isCovered && api.call('GET', '/v1/checkpoint');
      })) as Awaited<ReturnType<Api['call']>>;
      const file = join(newDataDir(), 'head.json');
      writeFileSync(file, JSON.stringify(head));
      return file;
    }

    /** The log and what is derived from it, as a stopped stack leaves them: a copy that may be tampered with. */
    async function stoppedCopy(): Promise<string> {
      const copy = newDataDir();
      await stack.stop();
      cpSync(stack.dataDir, copy, { recursive: true });
      stack = await startStack({ env: { TREE_HEAD_INTERVAL: '200ms' }, dataDir: stack.dataDir });
      api = apiAt(stack.url);
      return copy;
    }

    function change(file: string, sql: string) {
      using db = new DatabaseSync(file);
      db.exec(sql);
    }
    const logOf = (dataDir: string) => join(dataDir, 'eventstore/eventstore.db');

    it('finds a running stack, that moves on, as it should be', async () => {
      const head = await keepHead();
      const { channel } = await makeScene();
      let isOver = false;
      const publishing = (async () => {
        while (!isOver) await Promise.all(Array.from({ length: 20 }, () => api.publish(channel)));
      })();
      const { code, stdout, stderr } = await audit(stack.dataDir, 'verify', '--head', head).finally(() => {
        isOver = true;
      });
      await publishing;
      expect([code, stdout], stderr).to.deep.equal([0, '']);
      for (const said of [/read models: as the log/, /tree: as the log/, /nothing was changed since/])
        expect(stderr).to.match(said);
    });

    it('names each row of the read models and of the tree that the log does not make so', async () => {
      const { channel, webhook, events } = await makeScene();
      const [changed, missing] = events as [{ id: number }, { id: number }];
      const copy = await stoppedCopy();
      expect((await audit(copy, 'verify')).code).to.equal(0);
      change(
        readModelsFile(copy),
        `UPDATE deliveries SET due_ms = 7 WHERE event_id = ${changed.id};
         DELETE FROM events WHERE id = ${missing.id};
         INSERT INTO ended_channels VALUES (${channel.id}, 0)`,
      );
      change(
        join(copy, 'merkle-tree.db'),
        'UPDATE tiles SET hashes = zeroblob(length(hashes)) WHERE level = 0 AND number = 0',
      );
      const { code, stdout, stderr } = await audit(copy, 'verify');
      expect(code, stderr).to.equal(1);
      const lines = stdout.trim().split('\n');
      expect(lines, stdout).to.have.length(4);
      expect(stdout).to.include(
        `deliveries event_id=${changed.id} webhook_id=${webhook.id}: due_ms is 7, should be null`,
      );
      expect(stdout).to.include(`events id=${missing.id}: missing; should be`);
      expect(stdout).to.include(`ended_channels id=${channel.id}: there should be no such row`);
      expect(stdout).to.match(/^tiles level=0 number=0: hashes is "0{64}… [^"]+", should be "[0-9a-f]{64}… [^"]+"$/m);
    });

    it('proves of a head that was kept that nothing was changed, removed or reordered since', async () => {
      const head = await keepHead();
      const published = `(SELECT min(position) FROM events WHERE type = 'EventPublished')`;
      const forgeries: Record<string, string> = {
        'was changed': `UPDATE events SET checksum = NULL,
          data = CAST(replace(CAST(data AS TEXT), 'test.happened', 'test.pretended') AS BLOB) WHERE position = ${published}`,
        'in another order': `UPDATE events SET checksum = NULL;
          CREATE TEMP TABLE two AS SELECT ${published} AS one,
            (SELECT min(position) FROM events WHERE type = 'WebhookCreated') AS other;
          UPDATE events SET position = 0 WHERE position = (SELECT one FROM two);
          UPDATE events SET position = (SELECT one FROM two) WHERE position = (SELECT other FROM two);
          UPDATE events SET position = (SELECT other FROM two) WHERE position = 0`,
        'facts were removed': `DELETE FROM events WHERE position > ${published}`,
      };
      for (const [said, forgery] of Object.entries(forgeries)) {
        const copy = await stoppedCopy();
        expect((await audit(copy, 'verify', '--head', head)).code).to.equal(0);
        change(logOf(copy), forgery);
        const { code, stdout, stderr } = await audit(copy, 'verify', '--head', head);
        expect(code, stderr).to.equal(1);
        expect(
          stdout.split('\n').filter((line) => line.startsWith(head)),
          said,
        ).to.have.length(1);
        expect(stdout).to.include(said);
      }
    });

    it('trusts no head that another key has signed', async () => {
      const head = await keepHead();
      const other = Buffer.alloc(32, 7).toString('base64');
      const { code, stderr } = await audit(stack.dataDir, 'verify', '--head', head, '--public-key', other);
      expect([code, stderr]).to.deep.equal([2, `${head} is not to be trusted: its signature is not that of the key\n`]);
    });
  });
});
