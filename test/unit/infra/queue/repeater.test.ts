import { expect } from 'chai';
import { createRepeater } from '../../../../infra/queue/repeater.ts';

describe('repeater of requests', () => {
  let sent: PromiseWithResolvers<string>[];
  let repeater: ReturnType<typeof createRepeater>;
  beforeEach(() => {
    sent = [];
    repeater = createRepeater();
  });

  const request = () =>
    repeater.untilAnswered(() => {
      const sending = Promise.withResolvers<string>();
      sent.push(sending);
      return sending.promise;
    });

  it('sends once what is answered', async () => {
    const answer = request();
    sent[0]?.resolve('answer');
    expect(await answer).to.equal('answer');
    repeater.repeat();
    expect(sent).to.have.length(1);
  });

  it('sends again what is not answered yet, and takes whatever answer comes first', async () => {
    for (const answered of [0, 1]) {
      sent = [];
      const answer = request();
      repeater.repeat();
      expect(sent).to.have.length(2);
      sent[answered]?.resolve(`answer ${answered}`);
      expect(await answer).to.equal(`answer ${answered}`);
    }
  });

  it('fails as the last sending does, whatever became of those before', async () => {
    const failure = request().catch((error) => error.message);
    repeater.repeat();
    sent[0]?.reject(new Error('first'));
    sent[1]?.reject(new Error('second'));
    expect(await failure).to.equal('second');
    repeater.repeat();
    expect(sent).to.have.length(2);
  });
});
