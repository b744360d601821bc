import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { type Receiver, startReceiver } from '../../support/receiver.ts';
import { VERIFIER } from '../../support/verifier.ts';
import { waitFor } from '../../support/wait.ts';
import { useStack } from '../api/support.ts';

const run = promisify(execFile);

describe('proofs', () => {
  const { call, newChannel } = useStack({ TREE_HEAD_INTERVAL: '200ms' });
  let receiver: Receiver;
  let folder: string;
  before(async () => {
    receiver = await startReceiver();
    folder = mkdtempSync(join(tmpdir(), 'proofs-'));
  });
  after(async () => {
    await receiver?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function verify(publicKey: string, ...contents: unknown[]): Promise<string> {
    const files = contents.map((content, i) => {
      const file = join(folder, `${i}.json`);
      writeFileSync(file, JSON.stringify(content));
      return file;
    });
    return run(process.execPath, [VERIFIER, publicKey, ...files]).then(
      ({ stdout }) => stdout,
      ({ stderr }) => stderr,
    );
  }

  /** A delivered event and its log, once a signed head covers all of it. */
  async function proven(key: string, channelId: number, webhookUrl: string) {
    const { body: webhook } = await call('POST', `/v1/channels/${channelId}/webhooks`, {
      ...{ key, json: { webhook_url: webhookUrl } },
    });
    const { body: event } = await call('POST', `/v1/channels/${channelId}/events`, {
      ...{ key, json: { event_name: 'order.created', data: { text: 'ünïcödé "quoted"' } } },
    });
    const path = `/v1/channels/${channelId}/events/${event.id}/notification_log?proof=1`;
    const log = await waitFor(
      'a proof of all facts',
      async () => (await call('GET', path, { key })).body,
      (entries) =>
        entries.every(
          ({ status, proof }: { status: string; proof: { facts: { leaf_index: number | null }[] } }) =>
            status === 'delivered' && proof.facts.every(({ leaf_index }) => leaf_index !== null),
        ),
    );
    return { webhook, event, log, path };
  }

  it('let a third party check an entry of the notification log with nothing but the public key', async () => {
    const channel = await newChannel();
    const { webhook, event, log } = await proven(channel.publisher_key, channel.id, receiver.url());
    const { body: head } = await call('GET', '/v1/checkpoint');
    expect(log[0].proof.facts.map(({ type }: { type: string }) => type)).to.deep.equal([
      'EventPublished',
      'DeliveryAttempted',
    ]);
    const said = await verify(head.public_key, log);
    expect(said).to.match(/^proven /);
    const proof = JSON.parse(said.replace('proven ', ''));
    expect(proof).to.include({ event_id: event.id, webhook_id: webhook.id, attempts: 1 });
  });

  it('prove who asked for a redelivery, and when', async () => {
    const channel = await newChannel();
    const key = channel.publisher_key;
    const { event, path } = await proven(key, channel.id, receiver.url());
    await call('POST', `/v1/channels/${channel.id}/events/${event.id}/redeliver`, { key, json: { reason: 'lost' } });
    const [entry] = await waitFor(
      'a proof of all facts',
      async () => (await call('GET', path, { key })).body,
      ([{ attempts, proof }]) =>
        attempts.length === 2 &&
        proof.facts.every(({ leaf_index }: { leaf_index: number | null }) => leaf_index !== null),
    );
    const { body: head } = await call('GET', '/v1/checkpoint');
    expect(await verify(head.public_key, [entry])).to.match(/^proven .*"attempts":2/);
    const [redelivery] = entry.redeliveries;
    for (const redeliveries of [[{ ...redelivery, by: 'admin' }], [{ ...redelivery, reason: 'not lost' }], undefined]) {
      const said = await verify(head.public_key, [{ ...entry, redeliveries }]);
      expect(said).to.include('the redeliveries are not those');
    }
  });

  it('prove nothing where anything was changed', async () => {
    const channel = await newChannel();
    const { log } = await proven(channel.publisher_key, channel.id, receiver.url());
    const { body: head } = await call('GET', '/v1/checkpoint');
    const changes: Record<string, (entry: (typeof log)[number]) => void> = {
      'the attempts are not those': (entry) => {
        entry.attempts[0].status_code = 500;
      },
      'not in the log that was signed': (entry) => {
        entry.proof.facts[1].data = entry.proof.facts[1].data.replace('200', '500');
        entry.attempts[0].status_code = 500;
      },
      'the facts are those of something else': (entry) => {
        entry.webhook_id += 1;
      },
      'has not signed': (entry) => {
        entry.proof.checkpoint = entry.proof.checkpoint.replace('time 2', 'time 3');
      },
    };
    for (const [said, change] of Object.entries(changes)) {
      const [entry] = structuredClone(log);
      change(entry);
      expect(await verify(head.public_key, [entry]), said)
        .to.match(/^not proven: /)
        .and.include(said);
    }
    expect(await verify(Buffer.alloc(32, 7).toString('base64'), log)).to.include('not proven');
  });

  it('let a subscriber check its own entry, and no other', async () => {
    const channel = await newChannel();
    const url = receiver.url();
    await call('POST', `/v1/channels/${channel.id}/webhooks`, {
      key: channel.publisher_key,
      json: { webhook_url: url },
    });
    const { webhook, log, path } = await proven(channel.publisher_key, channel.id, url);
    expect(log).to.have.length(2);
    const { body: own } = await call('GET', path, { key: webhook.subscriber_key });
    expect(own.map(({ webhook_id }: { webhook_id: number }) => webhook_id)).to.deep.equal([webhook.id]);
    expect(await verify(own[0].proof.public_key, own)).to.match(/^proven /);
  });

  it('show that the log of a later checkpoint only went on from that of an earlier one', async () => {
    await newChannel();
    const { body: old } = await waitFor(
      'a first checkpoint',
      () => call('GET', '/v1/checkpoint'),
      ({ status }) => status === 200,
    );
    await newChannel();
    const now = await waitFor(
      'a larger checkpoint',
      async () => (await call('GET', `/v1/checkpoint?from=${old.tree_size}`)).body,
      ({ tree_size }) => tree_size > old.tree_size,
    );
    expect(await verify(old.public_key, old, now)).to.match(/^proven /);
    const forged = { ...now, consistency_proof: now.consistency_proof.toReversed() };
    expect(await verify(old.public_key, old, { ...now, consistency_proof: [] })).to.include('not proven');
    if (now.consistency_proof.length > 1) expect(await verify(old.public_key, old, forged)).to.include('not proven');
    expect((await call('GET', `/v1/checkpoint?from=${now.tree_size + 1_000_000}`)).body).to.include({
      ...{ status: 404, type: '/docs/errors#no-checkpoint' },
    });
  });
});
