import { expect } from 'chai';
import {
  headers,
  type Msg,
  type MsgHdrs,
  NatsError,
  type PublishOptions,
  type Subscription,
  type SubscriptionOptions,
} from 'nats';
import { createPublications, type Publications } from '../../../../infra/queue/publications.ts';
import { errorOf } from '../../../support/error-of.ts';

interface Sent {
  readonly subject: string;
  readonly payload: string;
  readonly id: string | undefined;
  readonly reply: string;
}

const TIMEOUT_MS = 20;
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

describe('publications', () => {
  let sent: Sent[];
  let answer: (reply: string, body: string, headers?: MsgHdrs) => void;
  let close: () => void;
  let isDraining: boolean;
  let publications: Publications;
  beforeEach(() => {
    sent = [];
    isDraining = false;
    const closed = Promise.withResolvers<void>();
    close = closed.resolve;
    publications = createPublications(
      {
        publish(subject: string, payload: Uint8Array, { headers, reply }: PublishOptions) {
          if (isDraining) throw new NatsError('draining', 'CONNECTION_DRAINING');
          sent.push({ subject, payload: text(payload), id: headers?.get('Nats-Msg-Id'), reply: reply as string });
        },
        subscribe(_subject: string, { callback }: SubscriptionOptions) {
          answer = (subject, body, headers) =>
            callback?.(null, { subject, headers, json: () => JSON.parse(body) } as unknown as Msg);
          return {} as Subscription;
        },
        closed: () => closed.promise,
      } as Parameters<typeof createPublications>[0],
      TIMEOUT_MS,
    );
  });
  afterEach(() => close());

  const publish = (id = 'an id') => publications.publish('subject', new TextEncoder().encode('payload'), id);
  const replyOf = (index: number) => sent[index]?.reply as string;
  const kept = (seq: number) => JSON.stringify({ stream: 'DELIVERIES', seq });

  it('are sent with their ids, and each has the answer that was to it', async () => {
    const both = Promise.all([publish('a'), publish('b')]);
    expect(sent).to.have.length(2);
    expect(sent[0]).to.include({ subject: 'subject', payload: 'payload', id: 'a' });
    expect(sent[1]).to.include({ id: 'b' });
    answer(replyOf(1), kept(8));
    answer(replyOf(0), kept(7));
    expect(await both).to.deep.equal([7, 8]);
  });

  it('that the stream has had before have the sequence they had', async () => {
    const publishing = publish();
    answer(replyOf(0), JSON.stringify({ stream: 'DELIVERIES', seq: 7, duplicate: true }));
    expect(await publishing).to.equal(7);
  });

  it('fail with what the stream says', async () => {
    const failing = errorOf(publish());
    const error = { code: 503, err_code: 10_077, description: 'no space left on device' };
    answer(replyOf(0), JSON.stringify({ error }));
    expect(await failing)
      .to.be.instanceOf(NatsError)
      .and.deep.include({ code: '503', api_error: error });
  });

  it('fail at once where nobody listens', async () => {
    const failing = errorOf(publish());
    const none = headers(503, 'No Responders');
    answer(replyOf(0), '', none);
    const error = await failing;
    expect(error).to.include({ code: '503' });
    expect(error.api_error).to.equal(undefined);
  });

  for (const body of ['not JSON', '{}', '"x"']) {
    it(`fail where ${body} is answered, which no stream does`, async () => {
      const failing = errorOf(publish());
      answer(replyOf(0), body);
      expect(await failing).to.be.instanceOf(NatsError);
    });
  }

  it('fail where no answer comes, and pay no heed to one that comes after that', async () => {
    expect(await errorOf(publish())).to.include({ code: 'TIMEOUT' });
    answer(replyOf(0), kept(7));
  });

  it('that are not answered are sent once more with another connection, in their order', async () => {
    const [first, second, third] = [publish('a'), publish('b'), publish('c')];
    answer(replyOf(1), kept(1));
    publications.repeat();
    expect(sent.slice(3).map(({ id }) => id)).to.deep.equal(['a', 'c']);
    expect(new Set(sent.map(({ reply }) => reply)).size).to.equal(5);
    answer(replyOf(3), kept(2));
    answer(replyOf(4), kept(3));
    expect(await Promise.all([first, second, third])).to.deep.equal([2, 1, 3]);
  });

  it('fail where the connection is closed', async () => {
    const failing = errorOf(publish());
    close();
    expect(await failing).to.include({ code: 'CONNECTION_CLOSED' });
  });

  it('fail where the connection takes no more', async () => {
    const waiting = errorOf(publish());
    isDraining = true;
    expect(await errorOf(publish())).to.include({ code: 'CONNECTION_DRAINING' });
    publications.repeat();
    expect(await waiting).to.include({ code: 'CONNECTION_DRAINING' });
  });
});
