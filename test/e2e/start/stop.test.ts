import { spawn } from 'node:child_process';
import { expect } from 'chai';
import { freePort } from '../../../infra/local/free-port.ts';
import { natsServer } from '../../../infra/local/nats-server.ts';
import { createRunning } from '../../support/running.ts';
import { newDataDir, startStack } from '../../support/stack.ts';
import { BEHIND_PARENT, type Launched, launch, MAIN, whenGone } from './launch.ts';

describe('stopping', () => {
  let launched: Launched;

  async function open(command: readonly string[]) {
    launched = launch(command, { DATA_DIR: newDataDir() });
    await launched.whenOpen();
    return launched.tree();
  }

  for (const [command, how] of [
    [MAIN, 'by itself'],
    [BEHIND_PARENT, 'behind the set-up'],
  ] as const) {
    for (const [order, what] of [
      [() => launched.signalGroup('SIGINT'), 'Ctrl-C'],
      [() => launched.signalGroup('SIGHUP'), 'the closing of the terminal'],
      [() => process.kill(launched.pid, 'SIGTERM'), 'SIGTERM'],
    ] as const) {
      it(`${how}: ${what} stops everything, once, in order`, async () => {
        const tree = await open(command);
        order();
        expect(await launched.exited).to.equal(0);
        await whenGone(tree);
        expect(launched.output().match(/ stopping$/gm)).to.have.length(1);
        expect(launched.output())
          .to.match(/ stopped\n$/)
          .and.not.match(/ended \(|did not stop|Error/);
      });
    }
  }

  it('a second and a third Ctrl-C change nothing', async () => {
    const tree = await open(MAIN);
    for (let i = 0; i < 3; i++) launched.signalGroup('SIGINT');
    expect(await launched.exited).to.equal(0);
    await whenGone(tree);
    expect(launched.output())
      .to.match(/ stopped\n$/)
      .and.not.match(/ended \(|did not stop|Error/);
  });

  it('SIGTERM while it starts stops it as well', async () => {
    launched = launch(MAIN, { DATA_DIR: newDataDir() });
    await launched.whenPrinted(/starting gateway/);
    const tree = launched.tree();
    process.kill(launched.pid, 'SIGTERM');
    expect(await launched.exited).to.equal(0);
    await whenGone(tree);
  });

  it('kill -9 of the set-up in front stops everything', async () => {
    const tree = await open(BEHIND_PARENT);
    process.kill(launched.pid, 'SIGKILL');
    await whenGone(tree);
    // Its pipe may still hold the last line when the process is gone.
    await launched.whenPrinted(/ stopped\n$/);
  });

  it('kill -9 of the supervisor leaves nothing behind', async () => {
    const tree = await open(MAIN);
    process.kill(launched.pid, 'SIGKILL');
    await whenGone(tree);
  });

  it('kill -9 of the npm that started it stops everything', async () => {
    const npm = spawn('sleep', ['1000']);
    launched = launch(MAIN, { DATA_DIR: newDataDir(), STARTED_BY_PID: `${npm.pid}` });
    await launched.whenOpen();
    const tree = launched.tree();
    npm.kill('SIGKILL');
    expect(await launched.exited).to.equal(0);
    await whenGone(tree);
  });
});

describe('services by themselves', () => {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    it(`stop by ${signal}`, async () => {
      const servers = await startStack();
      const { eventstoreUrl, natsUrl } = await servers.run();
      const alone = launch([...MAIN, 'gateway', 'projector'], {
        ...{ DATA_DIR: newDataDir(), LOG_LEVEL: 'info', MASTER_SECRET: '0123456789abcdef0123456789abcdef' },
        ...{ EVENTSTORE_URL: eventstoreUrl as string, NATS_URL: natsUrl as string },
      });
      await alone.whenPrinted(/"started"/);
      process.kill(alone.pid, signal);
      expect(await alone.exited, alone.output()).to.equal(0);
      await servers.stop();
    });
  }

  it('end, and say why, where NATS takes them no more', async () => {
    const servers = await startStack();
    const { eventstoreUrl } = await servers.run();
    const natsPort = await freePort('127.0.0.1');
    const port = { current: () => natsPort, forStart: async () => natsPort };
    const withPassword = (password: string) =>
      createRunning(natsServer(newDataDir(), port, [`authorization { user: webhooks, password: "${password}" }`]));
    const first = withPassword('first');
    await first.start();
    const alone = launch([...MAIN, 'projector', 'relay', 'delivery', 'gateway'], {
      ...{ DATA_DIR: newDataDir(), LOG_LEVEL: 'info', MASTER_SECRET: '0123456789abcdef0123456789abcdef', PORT: '0' },
      ...{ EVENTSTORE_URL: eventstoreUrl as string, NATS_URL: `nats://127.0.0.1:${natsPort}` },
      ...{ NATS_USER: 'webhooks', NATS_PASSWORD: 'first' },
    });
    await alone.whenPrinted(/"started"/);
    await first.stop();
    const second = withPassword('second');
    await second.start();
    expect(await alone.exited, alone.output()).to.equal(1);
    expect(alone.output())
      .to.include('NATS has refused this process')
      .and.to.match(/authorization violation/i);
    await second.stop();
    await servers.stop();
  });
});
