import { expect } from 'chai';
import { type Service, startAll } from '../../../infra/lifecycle.ts';

describe('lifecycle', () => {
  let said: string[];
  beforeEach(() => {
    said = [];
  });

  function service(name: string, fails: { start?: boolean; stop?: boolean } = {}): Service {
    const say =
      (word: string, isFailing = false) =>
      async () => {
        await new Promise((resolve) => setImmediate(resolve));
        said.push(`${word} ${name}`);
        if (isFailing) throw new Error(`cannot ${word}`);
      };
    return { name, start: say('start', fails.start), stop: say('stop', fails.stop) };
  }
  const failureOf = (call: Promise<unknown>): Promise<Error & { errors?: Error[] }> =>
    call.then(
      () => expect.fail('it did not fail'),
      (error) => error,
    );

  it('starts in order, one after the other, and stops in reverse', async () => {
    const running = await startAll([service('a'), service('b'), service('c')]);
    expect(said).to.deep.equal(['start a', 'start b', 'start c']);
    await running.stop();
    expect(said.slice(3)).to.deep.equal(['stop c', 'stop b', 'stop a']);
  });

  it('stops once, however often it is told to', async () => {
    const running = await startAll([service('a')]);
    const stopping = [running.stop(), running.stop()];
    await Promise.all([...stopping, running.stop()]);
    expect(said).to.deep.equal(['start a', 'stop a']);
  });

  it('stops what had started where a start fails, and says which one failed and why', async () => {
    const error = await failureOf(
      startAll([service('a'), service('b'), service('bad', { start: true }), service('d')]),
    );
    expect(error.message).to.equal('bad did not start');
    expect((error.cause as Error).message).to.equal('cannot start');
    expect(said).to.deep.equal(['start a', 'start b', 'start bad', 'stop b', 'stop a']);
  });

  it('says why a start failed, also where what had started does not stop', async () => {
    const error = await failureOf(startAll([service('a', { stop: true }), service('bad', { start: true })]));
    expect(error.message).to.equal('bad did not start');
  });

  it('stops the others where one does not stop, and says which', async () => {
    const running = await startAll([service('a'), service('bad', { stop: true }), service('c')]);
    const error = await failureOf(running.stop());
    expect(said.slice(3)).to.deep.equal(['stop c', 'stop bad', 'stop a']);
    expect(error.errors?.map(({ message }) => message)).to.deep.equal(['bad did not stop']);
  });

  it('tells which one it is that a stop waits for', async () => {
    const stuck = Promise.withResolvers<void>();
    const slow = { name: 'slow', start: async () => {}, stop: () => stuck.promise };
    const running = await startAll([service('a'), slow, service('c')]);
    expect(running.stoppingNow()).to.equal(undefined);
    const stopping = running.stop();
    await new Promise((resolve) => setImmediate(resolve));
    expect(running.stoppingNow()).to.equal('slow');
    stuck.resolve();
    await stopping;
    expect(running.stoppingNow()).to.equal(undefined);
  });
});
