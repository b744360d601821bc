import { expect } from 'chai';
import {
  type Answer,
  type AttemptedDelivery,
  type Delivery,
  decideAttempt,
  evolveDelivery,
  isPaused,
  openDelivery,
} from '../../../domain/delivery.ts';
import type { RetryPolicy } from '../../../domain/retry-rule.ts';
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
  WEBHOOK_PAUSED,
  webhookResumed,
} from '../../support/sample.ts';

const POLICY: RetryPolicy = { retryIntervalMs: HOUR_MS, retryWindowMs: 24 * HOUR_MS, successStatus: '200' };
const WEBHOOK = { id: WEBHOOK_ID, webhook_url: 'https://subscriber.example/hook', revision: 3 };
const OPEN = openDelivery(published().data, { id: WEBHOOK.id, fields: WEBHOOK, pause: null });

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

describe('an attempt whose answer asks for time', () => {
  const nextAfter = (retry_after: string, atMs = AT_MS, policy = POLICY) => {
    const attempt = { atMs, answer: { ...answer({ duration_ms: 500 }), retry_after } };
    return decideAttempt(OPEN, policy, WEBHOOK, attempt).data.next_attempt_at;
  };

  it('is made again when it says, counted from the answer, where that is later than the interval', () => {
    expect(nextAfter('7200')).to.equal(iso(AT_MS + 2 * HOUR_MS + 500));
    const asked = AT_MS + 5 * HOUR_MS;
    expect(nextAfter(new Date(asked).toUTCString())).to.equal(iso(asked));
  });

  it('is made again after the interval where it asks for less, or for nothing that is understood', () => {
    for (const asked of ['0', '60', 'soon', new Date(AT_MS).toUTCString()]) {
      expect(nextAfter(asked), asked).to.equal(iso(AT_MS + HOUR_MS));
    }
  });

  it('is made again at the end of the window where it asks for more, and then no more', () => {
    const end = AT_MS + 24 * HOUR_MS;
    for (const asked of ['90000', '9'.repeat(400)]) expect(nextAfter(asked), asked).to.equal(iso(end));
    expect(nextAfter('90000', end)).to.equal(null);
  });

  it('counts the attempts of its own window where there is a schedule', () => {
    const policy = { ...POLICY, retrySchedule: [1_000, 2_000] };
    const resumed = [attempted(), attempted(), WEBHOOK_PAUSED, { ...webhookResumed(AT_MS), revision: 4 }] as const;
    const delivery = resumed.reduce<Delivery>(evolveDelivery, OPEN);
    const nextOf = (of: Delivery) => {
      const { data } = decideAttempt(of, policy, { ...WEBHOOK, revision: 4 }, { atMs: AT_MS, answer: answer() });
      return [data.next_attempt_at, evolveDelivery(of, { type: 'DeliveryAttempted', data })] as const;
    };
    const late = evolveDelivery(delivery, attempted());
    for (const begun of [delivery, late]) {
      const [first, once] = nextOf(begun);
      const [second, twice] = nextOf(once);
      expect([first, second, nextOf(twice)[0]]).to.deep.equal([iso(AT_MS + 1_000), iso(AT_MS + 2_000), null]);
    }
  });

  it('is done with where it succeeded, and the log keeps nothing of what it asked', () => {
    const attempt = { atMs: AT_MS, answer: { ...answer({ status_code: 200 }), retry_after: '7200' } };
    const { data } = decideAttempt(OPEN, POLICY, WEBHOOK, attempt);
    expect(data).to.include({ outcome: 'delivered', next_attempt_at: null }).and.not.have.any.keys('retry_after');
  });
});

describe('a delivery to a paused webhook', () => {
  const resumption = (atMs: number, revision: number) => ({ ...webhookResumed(atMs), revision });
  const paused = evolveDelivery(evolveDelivery(OPEN, attempted()), WEBHOOK_PAUSED);
  const resumed = evolveDelivery(paused, resumption(AT_MS + 30 * HOUR_MS, 5));
  const statusOf = ({ status, next_attempt_at }: Delivery) => ({ status, next_attempt_at });

  it('is pending and due at no time, from its pause or its opening on', () => {
    const opened = openDelivery(published().data, { id: WEBHOOK.id, fields: WEBHOOK, pause: 'requested' });
    for (const delivery of [paused, opened]) {
      expect(isPaused(delivery)).to.equal(true);
      expect(statusOf(delivery)).to.deep.equal({ status: 'pending', next_attempt_at: null });
    }
    expect(evolveDelivery(paused, WEBHOOK_DELETED).status).to.equal('cancelled');
    const delivered = evolveDelivery(OPEN, attempted(DELIVERED));
    for (const fact of [WEBHOOK_PAUSED, resumption(AT_MS, 5)])
      expect(evolveDelivery(delivered, fact)).to.equal(delivered);
  });

  it('is due with the resumption, with a whole new window', () => {
    expect(statusOf(resumed)).to.deep.equal({ status: 'pending', next_attempt_at: iso(AT_MS + 30 * HOUR_MS) });
    const attempt = { atMs: AT_MS + 53 * HOUR_MS, answer: answer() };
    expect(decideAttempt(resumed, POLICY, WEBHOOK, attempt).data.outcome).to.equal('retrying');
    const last = { atMs: AT_MS + 54 * HOUR_MS, answer: answer() };
    expect(decideAttempt(resumed, POLICY, WEBHOOK, last).data.outcome).to.equal('failed');
  });

  it('has its window begin no earlier than its publication', () => {
    const opened = openDelivery(published().data, { id: WEBHOOK.id, fields: WEBHOOK, pause: 'requested' });
    expect(evolveDelivery(opened, resumption(AT_MS - HOUR_MS, 5)).window_from).to.equal(iso(AT_MS));
  });

  it('lets an attempt that was under way decide only where it succeeded', () => {
    const late = { at: iso(AT_MS + HOUR_MS), webhook_revision: 4, trigger: 'retry' } as const;
    for (const delivery of [paused, resumed]) {
      for (const end of [{}, { outcome: 'failed', next_attempt_at: null } as const]) {
        const after = evolveDelivery(delivery, attempted({ ...late, ...end }));
        expect(statusOf(after)).to.deep.equal(statusOf(delivery));
        expect(after.attempts).to.have.length(2);
      }
      expect(evolveDelivery(delivery, attempted({ ...late, ...DELIVERED })).status).to.equal('delivered');
    }
  });

  it('goes on as any other once it was attempted again', () => {
    const next_attempt_at = iso(AT_MS + 31 * HOUR_MS);
    const after = evolveDelivery(resumed, attempted({ webhook_revision: 5, next_attempt_at }));
    expect(statusOf(after)).to.deep.equal({ status: 'pending', next_attempt_at });
    expect(after).to.not.have.any.keys('resumed_in');
    expect(isPaused(evolveDelivery(resumed, WEBHOOK_PAUSED))).to.equal(true);
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
          attempts_before: before.attempts.length,
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
