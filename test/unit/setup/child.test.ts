import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'chai';
import { CannotStart } from '../../../infra/local/cannot-start.ts';
import { createChild } from '../../../infra/local/child.ts';

/** A program that runs these scripts one after the other, then the last one again and again; ready at its first output. */
function scripted(...scripts: string[]) {
  const launches: boolean[] = [];
  return {
    launches,
    name: 'it',
    launch: async (wasReady: boolean) => {
      launches.push(wasReady);
      const script = scripts[Math.min(launches.length, scripts.length) - 1] as string;
      return spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    },
    whenReady: async ({ stdout }: ChildProcess) => void (await once(stdout as NodeJS.ReadableStream, 'data')),
  };
}

const RUNS = 'echo; exec sleep 1000';

describe('a supervised process', () => {
  function supervise(program: ReturnType<typeof scripted>) {
    const said: string[] = [];
    let tell: () => void = () => {};
    const child = createChild(program, {
      say: (line) => {
        said.push(line);
        tell();
      },
      changed: () => {},
    });
    const whenSaid = (line: string) =>
      new Promise<void>((resolve) => {
        tell = () => said.includes(line) && resolve();
        tell();
      });
    return { child, said, whenSaid };
  }

  it('is started again where it dies, and asked for the same port', async () => {
    const program = scripted(RUNS);
    const { child, whenSaid } = supervise(program);
    await child.start();
    process.kill(child.pid() as number, 'SIGKILL');
    await whenSaid('it ended (by SIGKILL), starting it again');
    await whenSaid('it is back');
    await child.stop(5_000);
    expect(program.launches).to.deep.equal([false, true]);
    expect(child.pid()).to.equal(undefined);
  });

  it('that runs but no longer serves is killed and started again', async () => {
    const sick = Promise.withResolvers<void>();
    const program = { ...scripted(`trap '' TERM; ${RUNS}`, RUNS), whenSick: () => sick.promise };
    const { child, whenSaid } = supervise(program);
    await child.start();
    sick.resolve();
    await whenSaid('it runs, but does not answer any more: killing it');
    await whenSaid('it ended (by SIGKILL), starting it again');
    await child.stop(5_000);
  });

  it('that says it cannot start is not tried again', async () => {
    const program = scripted('exit 78');
    const { child } = supervise(program);
    const error = await child.start().catch((reason) => reason);
    expect(error).to.be.instanceOf(CannotStart).with.property('message', 'it cannot start (with code 78)');
    expect(program.launches).to.deep.equal([false]);
  });

  it('that said so once it had served is tried again', async () => {
    const program = scripted('echo; exit 78', RUNS);
    const { child, whenSaid } = supervise(program);
    await child.start();
    await whenSaid('it ended (with code 78), starting it again');
    await whenSaid('it is back');
    await child.stop(5_000);
  });

  it('whose data is damaged is not tried again, though it had served', async () => {
    const program = scripted('echo; exit 65', RUNS);
    const { child } = supervise(program);
    await child.start();
    const error = await child.whenFailed().catch((reason) => reason);
    expect(error.message).to.equal('it cannot go on (with code 65)');
    expect(program.launches).to.deep.equal([false]);
    await child.stop(5_000);
  });

  it('that never serves is given up', async () => {
    const program = scripted('exit 1');
    const error = await supervise(program)
      .child.start()
      .catch((reason) => reason);
    expect(error.message).to.equal('it cannot start (with code 1)');
    expect(program.launches).to.have.length(5);
  });

  it('that cannot be launched at one time is tried again', async () => {
    const program = scripted(RUNS);
    const { launch } = program;
    program.launch = async (wasReady) => {
      if (program.launches.length > 0) return launch(wasReady);
      program.launches.push(wasReady);
      throw new Error('no space left');
    };
    const { child, said } = supervise(program);
    await child.start();
    await child.stop(5_000);
    expect(said).to.deep.equal(['it ended (no space left), starting it again']);
  });

  it('that does not stop when asked is killed', async () => {
    const { child, said } = supervise(scripted("trap '' TERM; echo; while :; do sleep 1; done"));
    await child.start();
    await child.stop(50);
    expect(said).to.deep.equal(['it did not stop in 0 s: killing it']);
  });
});
