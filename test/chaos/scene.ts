import { createRandom, type Random } from '../support/random.ts';
import type { Client } from './client.ts';
import type { Change, History } from './history.ts';
import type { Manner, Receivers } from './receivers.ts';

export interface Channel {
  readonly id: number;
  readonly publisher_key: string;
  /** Of the events that are published. */
  readonly share: number;
  readonly webhooks: { readonly id: number; readonly manner: Manner }[];
}

/** Channels by what hangs on them: what fails for long is given few events, or its retries would be all there is. */
const CHANNELS: readonly { share: number; manners: readonly Manner[] }[] = [
  { share: 80, manners: ['steady', 'steady', 'flaky'] },
  { share: 8, manners: ['nasty', 'steady'] },
  { share: 4, manners: ['refusing', 'steady'] },
  { share: 8, manners: ['steady', 'flaky'] },
];
/** This one is deleted in the course of the round. */
const DOOMED = 3;
const EVERY_MS = [800, 2_500] as const;

/** The channels and webhooks of a round, and what is done to them in its course. */
export function createScene(seed: number, client: Client, receivers: Receivers, { changes }: History) {
  const channels: Channel[] = [];
  const random = createRandom(seed, 'changes');
  let count = 0;

  async function change(what: Change['what'], method: string, path: string, key?: string, json?: unknown) {
    const { status, body, sentMs, endedMs } = await client.call(method, path, { key, json });
    const named = Number(/(\d+)$/.exec(path)?.[1]);
    const id = method === 'POST' ? (body?.id as number | undefined) : named;
    changes.push({ what, id, sentMs, endedMs, status });
    return { status, body };
  }

  async function addWebhook(channel: Channel, manner: Manner) {
    const json = { webhook_url: receivers.url(manner, `${++count}`) };
    const path = `/v1/channels/${channel.id}/webhooks`;
    const { status, body } = await change('WebhookCreated', 'POST', path, channel.publisher_key, json);
    if (status === 201) channel.webhooks.push({ id: body.id, manner });
    return status;
  }

  async function changeOne(decisions: Random) {
    const channel = decisions.pick(channels.slice(0, DOOMED));
    const kind = decisions.weighted({ add: 3, edit: 4, delete: 2 });
    const index = decisions.next();
    const webhook = channel.webhooks[Math.floor(index * channel.webhooks.length)];
    if (kind === 'add' || !webhook) return addWebhook(channel, decisions.pick(['steady', 'flaky'] as const));
    const path = `/v1/channels/${channel.id}/webhooks/${webhook.id}`;
    const { publisher_key: key } = channel;
    if (kind === 'edit') {
      const webhook_url = receivers.url(webhook.manner, `${++count}`);
      return (await change('WebhookUpdated', 'PUT', path, key, { webhook_url })).status;
    }
    const { status } = await change('WebhookDeleted', 'DELETE', path, key);
    if (status === 200) channel.webhooks.splice(channel.webhooks.indexOf(webhook), 1);
    return status;
  }

  async function deleteChannel({ id, publisher_key }: Channel) {
    await change('ChannelDeleted', 'DELETE', `/v1/channels/${id}`, publisher_key);
  }

  return {
    channels,
    /** Makes everything, while nothing is wrong yet. @throws Error where that fails */
    async setUp(): Promise<void> {
      for (const { share, manners } of CHANNELS) {
        const { status, body } = await change('ChannelCreated', 'POST', '/v1/channels', undefined, { name: 'chaos' });
        if (status !== 201) throw new Error(`POST /v1/channels: ${status} ${JSON.stringify(body)}`);
        const channel: Channel = { id: body.id, publisher_key: body.publisher_key, share, webhooks: [] };
        channels.push(channel);
        for (const manner of manners) {
          if ((await addWebhook(channel, manner)) !== 201) throw new Error('a webhook could not be made');
        }
      }
    },
    /** Changes something now and then until `signal` aborts. */
    async keepChanging(lastsMs: number, signal: AbortSignal): Promise<void> {
      const doomed = channels[DOOMED] as Channel;
      const untilDoom = random.between(lastsMs / 3, lastsMs);
      const doom = setTimeout(() => deleteChannel(doomed), untilDoom);
      while (!signal.aborted) {
        await new Promise((resolve) => setTimeout(resolve, random.between(...EVERY_MS)));
        await changeOne(random);
      }
      clearTimeout(doom);
    },
  };
}
