import { expect } from 'chai';
import { apiAt } from '../../support/api.ts';
import { newDataDir, type Stack, startStack } from '../../support/stack.ts';
import { waitFor } from '../../support/wait.ts';
import { BEHIND_PARENT, launch } from './launch.ts';

const CHILDREN = ['nats-server', 'eventstore', 'gateway', 'delivery', 'projector+relay'];

describe('a process that dies', () => {
  let stack: Stack;

  before(async () => {
    stack = await startStack();
  });
  after(async () => {
    await stack?.stop();
  });

  for (const name of CHILDREN) {
    it(`${name}: is started again, where it was`, async () => {
      const before = await stack.run();
      const killed = await stack.kill9(name);
      expect(await stack.pidOf(name), `another ${name}`).to.not.equal(killed);
      await waitFor(`${name} to serve`, () => stack.output().includes(`${name} is back`));
      const api = apiAt(stack.url);
      await waitFor('readiness', () =>
        api.call('GET', '/readyz').then(
          ({ status }) => status === 200,
          () => false,
        ),
      );
      const { processes: _, ...places } = await stack.run();
      expect(before).to.include(places);
      expect(stack.output()).to.include(`${name} ended (by SIGKILL), starting it again`);
    });
  }
});

describe('a start after kill -9', () => {
  const dataDir = newDataDir();
  let stack: Stack;

  beforeEach(async () => {
    stack = await startStack({ dataDir });
  });
  afterEach(async () => {
    await stack?.stop();
  });

  it('of everything simply works', async () => {
    await stack.kill9All();
    stack = await startStack({ dataDir });
    await apiAt(stack.url).newChannel();
  });

  for (const names of [['supervisor'], ['supervisor', 'nats-server'], ['supervisor', 'eventstore', 'gateway']]) {
    it(`of ${names.join(', ')} simply works, at once`, async () => {
      const left = (await stack.processes()).filter(({ name }) => names.includes(name));
      for (const { pid } of left) process.kill(pid, 'SIGKILL');
      stack = await startStack({ dataDir });
      await apiAt(stack.url).newChannel();
    });
  }

  it('of the set-up in front simply works, at once', async () => {
    await stack.stop();
    const launched = launch(BEHIND_PARENT, { DATA_DIR: dataDir });
    await launched.whenOpen();
    process.kill(launched.pid, 'SIGKILL');
    stack = await startStack({ dataDir });
    await apiAt(stack.url).newChannel();
  });
});
