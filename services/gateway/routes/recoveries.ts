import Type from 'typebox';
import { stream } from '../../../domain/facts.ts';
import { factId } from '../../../domain/ids.ts';
import { NewRecovery, type RecoveryCommand, type StartedRecovery } from '../../../domain/recovery.ts';
import { asCreated, carryOut, RECOVERY } from '../commands.ts';
import type { Gateway } from '../context.ts';
import { Problem } from '../problems.ts';
import { DEFAULT_LIMIT, listQuery } from '../query.ts';
import { Page, type Request, route } from '../route.ts';
import { By, RequestId, Time, WebhookId } from './answers.ts';

const WEBHOOK = '/v1/channels/:channel/webhooks/:webhook';
const RECOVER = `${WEBHOOK}/recover`;
const COLLECTION = `${WEBHOOK}/recoveries`;

/** How many recoveries of a webhook may be running. */
const MAX_RUNNING = 3;

const Count = Type.Integer({ minimum: 0 });
export const RecoveryAnswer = Type.Object(
  {
    id: RequestId,
    webhook_id: WebhookId,
    status: Type.Enum(['running', 'finished']),
    since: Time,
    until: Time,
    missing: Type.Boolean({ examples: [false] }),
    requested_at: Time,
    by: By,
    found: Type.Object({ failed: Count, missing: Count }, { description: 'Events that are delivered again, so far.' }),
    finished_at: Type.Union([Time, Type.Null()], { examples: [null] }),
  },
  { title: 'Recovery' },
);

export const recoveryRoutes = [
  route({
    method: 'POST',
    path: RECOVER,
    access: 'webhook-owner',
    operation: 'recoverWebhook',
    summary: 'Deliver again what failed, and what a webhook has missed',
    problems: ['too-many-recoveries'],
    isDelivering: true,
    body: NewRecovery,
    answer: RecoveryAnswer,
    location: ({ id, webhook_id }, { channel }) =>
      `/v1/channels/${channel?.id}/webhooks/${webhook_id}/recoveries/${id}`,
    handle: recover,
  }),
  route({
    method: 'GET',
    path: COLLECTION,
    access: 'webhook-owner',
    operation: 'listRecoveries',
    summary: 'List the recoveries of a webhook, newest first',
    query: listQuery(DEFAULT_LIMIT),
    answer: Type.Array(RecoveryAnswer),
    async handle({ webhook, query: { after, limit = DEFAULT_LIMIT } }, { readModels, freshness }) {
      await freshness.whenRead(stream.webhook(webhook.id));
      const found = readModels.recoveries.page(webhook.id, { after, limit: limit + 1 });
      return new Page(found.map(recoveryAnswer), limit, ({ id }) => id);
    },
  }),
  route({
    method: 'GET',
    path: `${COLLECTION}/:recovery`,
    access: 'webhook-owner',
    operation: 'getRecovery',
    summary: 'Read how far a recovery is',
    answer: RecoveryAnswer,
    async handle({ webhook, recoveryId }, { readModels, freshness }) {
      await freshness.whenRead(stream.webhook(webhook.id));
      const recovery = readModels.recoveries.byId(webhook.id, recoveryId);
      if (!recovery) throw new Problem('recovery-not-found', 'There is no such recovery of this webhook.');
      return recoveryAnswer(recovery);
    },
  }),
];

async function recover(request: Request<typeof RECOVER, typeof NewRecovery>, gateway: Gateway) {
  const { id, webhook, body: wanted, atMs, requestId, by, repeated } = request;
  const { store, readModels, freshness, backpressure } = gateway;
  const name = stream.recovery(id);
  const command: RecoveryCommand = { type: 'RequestRecovery', id, webhook, wanted, atMs, by };
  const stamp = { about: id, requestId, by };
  const once = factId('RecoveryRequested', id);
  const before = repeated ? await asCreated(store, name, RECOVERY) : undefined;
  await freshness.whenRead(stream.webhook(webhook.id));
  if (!before && readModels.recoveries.countRunning(webhook.id) >= MAX_RUNNING) {
    throw new Problem(
      'too-many-recoveries',
      `A webhook may have ${MAX_RUNNING} that are running. Wait for one of them.`,
    );
  }
  const { state, position } = before ?? (await carryOut(store, name, RECOVERY, command, stamp, { isNew: true, once }));
  freshness.wrote(stream.webhook(webhook.id), position);
  backpressure.wrote(position);
  return recoveryAnswer(state as StartedRecovery);
}

function recoveryAnswer({ channel_id, through, last, ...answer }: StartedRecovery) {
  return answer;
}
