import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { startEventstore } from '../../../infra/local/eventstore/eventstore.ts';
import { apiAt } from '../../support/api.ts';
import { type Receiver, startReceiver } from '../../support/receiver.ts';
import { type Stack, startStack } from '../../support/stack.ts';
import { waitFor } from '../../support/wait.ts';
import { launch } from '../start/launch.ts';
import { answersOf } from './answers.ts';
import { fixtureNames, unpack } from './unpack.ts';

/** The promise: a data directory that an older commit has written starts under this one, and every GET answers as it did there. */
for (const name of fixtureNames()) {
  describe(`the data directory of ${name}`, function () {
    this.timeout(90_000);
    const { fixture, dataDir } = unpack(name);
    const { channel, adminKey, pending } = fixture;
    const webhook = `/v1/channels/${channel.id}/webhooks/${pending.webhookId}`;
    let receiver: Receiver;
    let stack: Stack | undefined;

    before(async () => {
      receiver = await startReceiver();
    });
    after(async () => {
      await stack?.stop();
      await receiver.close();
    });

    it('answers every GET as then, before a delivery goes on', async () => {
      const { url, end } = await startWithoutDelivery();
      try {
        expect(await answersOf(url, fixture.answers)).to.deep.equal(fixture.answers);
        const moved = { key: channel.publisher_key, json: { webhook_url: receiver.url('/moved') } };
        expect((await apiAt(url).call('PUT', webhook, moved)).status).to.equal(200);
      } finally {
        await end();
      }
    });

    it('takes and delivers events, and finishes what was pending', async () => {
      stack = await startStack({ dataDir, env: { ADMIN_KEY: adminKey } });
      const api = apiAt(stack.url);
      const fresh = await api.publish(channel);
      const statusOf = async (eventId: number) =>
        (await api.log(channel, eventId)).find(({ webhook_id }) => webhook_id === pending.webhookId)?.status;
      for (const id of [fresh.id, pending.eventId]) {
        await waitFor(
          `the delivery of ${id}`,
          () => statusOf(id),
          (status) => status === 'delivered',
        );
      }
      const received = receiver.hitsAt('/moved').map(({ body }) => JSON.parse(body.toString()).id);
      expect(received).to.include.members([fresh.id, pending.eventId]);
    });

    it('holds no read models of older versions any more', async () => {
      await waitFor(
        'the end of the old file',
        () => readdirSync(dataDir).filter((file) => /^read-models.*\.db$/.test(file)),
        (files) => files.length === 1 && /-v\d+\.db$/.test(files[0] as string),
      );
    });

    async function startWithoutDelivery() {
      const store = { dataDir: join(dataDir, 'eventstore'), host: '127.0.0.1', port: 0, maxAppendSize: 1024 * 1024 };
      const eventstore = await startEventstore(store);
      const services = launch(['services/main.ts', 'projector', 'gateway'], {
        ...{ DATA_DIR: dataDir, ADMIN_KEY: adminKey, LOG_LEVEL: 'info', NATS_URL: 'nats://127.0.0.1:1' },
        ALLOW_PRIVATE_NETWORKS: 'true',
        EVENTSTORE_URL: `esdb://127.0.0.1:${eventstore.port}?tls=false`,
        MASTER_SECRET: readFileSync(join(dataDir, 'master_secret'), 'utf8').trim(),
      });
      const [, port] = await services.whenPrinted(/"port":(\d+),"msg":"started"/);
      const end = async () => {
        process.kill(services.pid, 'SIGKILL');
        await services.exited;
        await eventstore.stop();
      };
      return { url: `http://127.0.0.1:${port}`, end };
    }
  });
}
