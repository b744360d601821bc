import { expect } from 'chai';
import fc from 'fast-check';
import {
  type Answer,
  type AttemptedDelivery,
  type Delivery,
  decideAttempt,
  evolveDelivery,
  isSuccess,
  nextAttemptMs,
  openDelivery,
  type RetryPolicy,
} from '../../../domain/delivery.ts';
import {
  AT_MS,
  answer,
  attempted,
  CHANNEL_DELETED,
  CHANNEL_ID,
  DELIVERED,
  EVENT_ID,
  HOUR_MS,
  iso,
  published,
  REDELIVERY_ID,
  redeliveryRequested,
  WEBHOOK_DELETED,
  WEBHOOK_ID,
} from '../../support/sample.ts';

const POLICY: RetryPolicy = { retryIntervalMs: HOUR_MS, retryWindowMs: 24 * HOUR_MS, successStatus: '200' };
const WEBHOOK = { id: WEBHOOK_ID, webhook_url: 'https://subscriber.example/hook', revision: 3 };
const OPEN = openDelivery(published().data, WEBHOOK);

/** Attempts a delivery whenever one is due, each `driftMs` late, until nothing more is due. */
function deliver(
  policy: RetryPolicy,
  driftMs: number,
  answerOf: (attempt: number) => Partial<Answer>,
  from: Delivery = OPEN,
) {
  const facts: AttemptedDelivery[] = [];
  let delivery = from;
  while (delivery.next_attempt_at !== null) {
    const atMs = Date.parse(delivery.next_attempt_at) + driftMs;
    const fact = decideAttempt(delivery, policy, WEBHOOK, { atMs, answer: answer(answerOf(facts.length + 1)) });
    facts.push(fact.data);
    delivery = evolveDelivery(delivery, fact);
  }
  return { delivery, facts };
}

describe('delivery', () => {
  it('is due at once when its event is published', () => {
    expect(OPEN).to.deep.equal({
      ...{ event_id: EVENT_ID, webhook_id: WEBHOOK_ID, channel_id: CHANNEL_ID, webhook_url: WEBHOOK.webhook_url },
      ...{ status: 'pending', window_from: iso(AT_MS), next_attempt_at: iso(AT_MS), attempts: [] },
    });
  });

  for (const [drift, driftMs] of Object.entries({ none: 0, '1 s': 1_000, '1 min': 60_000 })) {
    it(`is tried once and retried 24 times, hourly, then failed (drift: ${drift})`, () => {
      const { delivery, facts } = deliver(POLICY, driftMs, () => ({ status_code: 500 }));
      expect(facts).to.have.length(25);
      expect(facts.map(({ trigger }) => trigger)).to.deep.equal(['publish', ...Array(24).fill('retry')]);
      expect(facts.map(({ outcome }) => outcome)).to.deep.equal([...Array(24).fill('retrying'), 'failed']);
      for (const { at, next_attempt_at } of facts.slice(0, 24)) {
        expect(next_attempt_at).to.equal(iso(Date.parse(at) + HOUR_MS));
      }
      expect(delivery.status).to.equal('failed');
      expect(delivery.attempts).to.have.length(25);
    });
  }

  it('is tried once where the window is zero', () => {
    const { facts } = deliver({ ...POLICY, retryWindowMs: 0 }, 0, () => ({ status_code: 500 }));
    expect(facts.map(({ outcome }) => outcome)).to.deep.equal(['failed']);
  });

  it('is delivered by the first 200, and not tried again', () => {
    const { delivery, facts } = deliver(POLICY, 0, (attempt) => ({ status_code: attempt === 3 ? 200 : 503 }));
    expect(facts.map(({ outcome }) => outcome)).to.deep.equal(['retrying', 'retrying', 'delivered']);
    expect(delivery).to.include({ status: 'delivered', next_attempt_at: null });
  });

  for (const failure of [
    { status_code: 201 },
    { status_code: 302 },
    { status_code: null, error: 'timeout' },
  ] as const) {
    it(`is retried after ${failure.status_code ?? failure.error}`, () => {
      const fact = decideAttempt(OPEN, POLICY, WEBHOOK, { atMs: AT_MS, answer: answer(failure) });
      expect(fact.data).to.include({ outcome: 'retrying', ...failure, next_attempt_at: iso(AT_MS + HOUR_MS) });
    });
  }

  it('records the whole answer, where it went and with which settings', () => {
    const attempt = { atMs: AT_MS + 5, answer: answer({ status_code: 200, response_body: 'ok', duration_ms: 7 }) };
    expect(decideAttempt(OPEN, POLICY, WEBHOOK, attempt)).to.deep.equal(
      attempted({
        ...DELIVERED,
        ...{ webhook_url: WEBHOOK.webhook_url, webhook_revision: 3, at: iso(AT_MS + 5), duration_ms: 7 },
      }),
    );
  });

  it('was tried late, after its window had closed: that was the last attempt', () => {
    const attempt = { atMs: AT_MS + 100 * HOUR_MS, answer: answer() };
    expect(decideAttempt(OPEN, POLICY, WEBHOOK, attempt).data).to.include({ outcome: 'failed', next_attempt_at: null });
  });

  it('shows the URL of its last attempt', () => {
    const moved = evolveDelivery(OPEN, attempted({ webhook_url: 'https://new.example/' }));
    expect(moved.webhook_url).to.equal('https://new.example/');
  });

  it('keeps of an attempt what concerns the attempt', () => {
    const [attempt] = evolveDelivery(OPEN, attempted()).attempts;
    expect(attempt).to.have.all.keys(
      ...['at', 'status_code', 'error', 'duration_ms', 'response_body', 'trigger', 'webhook_revision'],
    );
  });

  for (const end of [WEBHOOK_DELETED, CHANNEL_DELETED]) {
    it(`is cancelled by ${end.type} while it is pending, and only then`, () => {
      expect(evolveDelivery(OPEN, end)).to.include({ status: 'cancelled', next_attempt_at: null });
      const delivered = evolveDelivery(OPEN, attempted(DELIVERED));
      expect(evolveDelivery(delivered, end)).to.equal(delivered);
      const failed = evolveDelivery(OPEN, attempted({ outcome: 'failed', next_attempt_at: null }));
      expect(evolveDelivery(failed, end)).to.equal(failed);
    });
  }

  it('stays cancelled while an attempt that was under way joins the log', () => {
    const cancelled = evolveDelivery(OPEN, WEBHOOK_DELETED);
    for (const late of [attempted(), attempted(DELIVERED)]) {
      const after = evolveDelivery(cancelled, late);
      expect(after).to.include({ status: 'cancelled', next_attempt_at: null });
      expect(after.attempts).to.have.length(1);
    }
  });

  it('stays delivered while a second attempt that was under way joins the log', () => {
    const delivered = evolveDelivery(OPEN, attempted(DELIVERED));
    const after = evolveDelivery(delivered, attempted());
    expect(after).to.include({ status: 'delivered', next_attempt_at: null });
    expect(after.attempts).to.have.length(2);
  });

  it('is delivered where the attempt that succeeded joins the log last', () => {
    const failed = evolveDelivery(OPEN, attempted({ outcome: 'failed', next_attempt_at: null }));
    expect(evolveDelivery(failed, attempted(DELIVERED)).status).to.equal('delivered');
  });
});

describe('success', () => {
  const statuses = [null, 100, 199, 200, 201, 204, 299, 300, 302, 404, 500];
  it('is 200 and nothing else', () => {
    expect(statuses.filter((status) => isSuccess({ successStatus: '200' }, status))).to.deep.equal([200]);
  });
  it('is any 2xx where the deployment says so', () => {
    expect(statuses.filter((status) => isSuccess({ successStatus: '2xx' }, status))).to.deep.equal([
      200, 201, 204, 299,
    ]);
  });
});

describe('the retry rule', () => {
  it('never asks for a time behind the window and half an interval, nor gives up before the window ends', () => {
    const ms = fc.integer({ min: 1, max: 100 * HOUR_MS });
    fc.assert(
      fc.property(ms, ms, ms, (retryIntervalMs, retryWindowMs, sinceMs) => {
        const nextMs = nextAttemptMs({ retryIntervalMs, retryWindowMs }, AT_MS, AT_MS + sinceMs);
        const endMs = AT_MS + retryWindowMs;
        if (nextMs === undefined) expect(AT_MS + sinceMs + retryIntervalMs).to.be.above(endMs);
        else
          expect(nextMs)
            .to.equal(AT_MS + sinceMs + retryIntervalMs)
            .and.at.most(endMs + retryIntervalMs / 2);
      }),
    );
  });
});

describe('a delivery that is asked for again', () => {
  const REQUESTED_MS = AT_MS + 30 * HOUR_MS;
  const request = (id = REDELIVERY_ID) => redeliveryRequested({ id, requested_at: iso(REQUESTED_MS), reason: 'lost' });
  const delivered = evolveDelivery(OPEN, attempted(DELIVERED));
  const failed = evolveDelivery(OPEN, attempted({ outcome: 'failed', next_attempt_at: null }));
  const waiting = evolveDelivery(OPEN, attempted());

  for (const [name, before] of Object.entries({ OPEN, delivered, failed, waiting })) {
    it(`is due at once and has a window of its own, where it was ${name}`, () => {
      const again = evolveDelivery(before, request());
      const requested_at = iso(REQUESTED_MS);
      expect(again).to.deep.equal({
        ...before,
        ...{
          status: 'pending',
          window_from: requested_at,
          next_attempt_at: requested_at,
          redelivery_id: REDELIVERY_ID,
        },
        redeliveries: [{ id: REDELIVERY_ID, requested_at, by: 'publisher', reason: 'lost' }],
      });
      const { facts } = deliver(POLICY, 0, () => ({ status_code: 500 }), again);
      expect(facts.map(({ trigger }) => trigger)).to.deep.equal(['redeliver', ...Array(24).fill('retry')]);
      expect(facts.map(({ redelivery_id }) => redelivery_id)).to.deep.equal([
        REDELIVERY_ID,
        ...Array(24).fill(undefined),
      ]);
    });
  }

  it('stays as it is where its webhook is gone, or where the request is in the log twice', () => {
    const cancelled = evolveDelivery(OPEN, WEBHOOK_DELETED);
    expect(evolveDelivery(cancelled, request())).to.equal(cancelled);
    const made = evolveDelivery(evolveDelivery(delivered, request()), attempted({ ...DELIVERED, ...MADE_FOR_IT }));
    expect(made).to.include({ status: 'delivered' }).and.not.to.have.property('redelivery_id');
    expect(evolveDelivery(made, request())).to.equal(made);
  });

  it('is not taken to be made by an attempt that was under way before', () => {
    for (const late of [attempted(DELIVERED), attempted(), attempted({ ...DELIVERED, ...MADE_FOR_IT })]) {
      const again = [request(), request(REDELIVERY_ID + 1), late].reduce<Delivery>(evolveDelivery, OPEN);
      expect(again).to.deep.include({ status: 'pending', redelivery_id: REDELIVERY_ID + 1 });
      expect(again.attempts).to.have.length(1);
    }
  });

  const MADE_FOR_IT = { trigger: 'redeliver', redelivery_id: REDELIVERY_ID } as const;
});
