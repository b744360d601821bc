import { expect } from 'chai';
import { readSettings, SETTINGS, SettingError } from '../../../infra/settings.ts';

type Env = Record<string, string>;

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

function refusal(env: Env): string {
  try {
    readSettings(env);
  } catch (error) {
    expect(error).to.be.instanceOf(SettingError);
    return (error as Error).message;
  }
  throw new Error(`${JSON.stringify(env)} was taken`);
}

const BAD: Readonly<Record<string, readonly string[]>> = {
  PORT: ['-1', '65536', '80.5', '0x50', 'http', ' 80', '1e3', '99999999999'],
  EVENTSTORE_URL: ['http://localhost:2113', 'localhost:2113', 'esdbx://localhost'],
  NATS_URL: ['http://localhost:4222', 'localhost:4222', 'nats://a,b', 'nats://a,', 'nats://a,,nats://b'],
  NATS_REPLICAS: ['0', '6', 'three'],
  MASTER_SECRET: ['short', 'x'.repeat(31)],
  ADMIN_KEY: ['short', 'x'.repeat(15)],
  RETRY_INTERVAL: ['0s', '1', '1d', '-1h', '1.5h', '1 h', 'h', '481h', '1h30m'],
  RETRY_WINDOW: ['1', 'for ever', '481h', '-1ms'],
  DELIVERY_TIMEOUT: ['0ms', '15', '15 s', '15S', '99999999999ms'],
  PUBLISH_LAG_LIMIT: ['0', 'off', '5', '-1s', '481h'],
  SUCCESS_STATUS: ['201', '2XX', '200,201', 'any'],
  ALLOW_PRIVATE_NETWORKS: ['yes', 'TRUE', 'on', '2'],
  LOG_LEVEL: ['loud', 'INFO', 'warning'],
  NODE_NUMBER: ['-1', '32', 'one'],
};

describe('settings', () => {
  it('have defaults, all but what names another machine or a secret', () => {
    expect(readSettings({})).to.deep.equal({
      ...{ port: 8080, host: '127.0.0.1', dataDir: './data', logLevel: 'info', nodeNumber: undefined },
      ...{ eventstoreUrl: undefined, natsUrl: undefined, masterSecret: undefined, adminKey: undefined },
      ...{ retryIntervalMs: HOUR_MS, retryWindowMs: 24 * HOUR_MS, deliveryTimeoutMs: 15_000 },
      ...{ publishLagLimitMs: 5_000, successStatus: '200', allowPrivateNetworks: false },
      natsReplicas: 1,
    });
  });

  it('are read from the environment', () => {
    const env = {
      ...{ PORT: '0', HOST: '::', DATA_DIR: '/data', LOG_LEVEL: 'silent', NODE_NUMBER: '31' },
      ...{
        EVENTSTORE_URL: 'esdb+discover://a,b',
        NATS_URL: 'tls://c,tls://d',
        NATS_REPLICAS: '3',
        MASTER_SECRET: 'm'.repeat(32),
      },
      ...{ ADMIN_KEY: 'a'.repeat(16), RETRY_INTERVAL: '500ms', RETRY_WINDOW: '5m', DELIVERY_TIMEOUT: '20s' },
      ...{ PUBLISH_LAG_LIMIT: '0s', SUCCESS_STATUS: '2xx', ALLOW_PRIVATE_NETWORKS: '1' },
    };
    expect(readSettings(env)).to.deep.equal({
      ...{ port: 0, host: '::', dataDir: '/data', logLevel: 'silent', nodeNumber: 31 },
      ...{
        eventstoreUrl: 'esdb+discover://a,b',
        natsUrl: 'tls://c,tls://d',
        natsReplicas: 3,
        masterSecret: 'm'.repeat(32),
      },
      ...{ adminKey: 'a'.repeat(16), retryIntervalMs: 500, retryWindowMs: 5 * MINUTE_MS, deliveryTimeoutMs: 20_000 },
      ...{ publishLagLimitMs: 0, successStatus: '2xx', allowPrivateNetworks: true },
    });
  });

  it('are absent where they are empty', () => {
    const empty = Object.fromEntries(Object.values(SETTINGS).map(({ name }) => [name, '']));
    expect(readSettings(empty)).to.deep.equal(readSettings({}));
  });

  it('cannot be changed', () => {
    expect(readSettings({})).to.be.frozen;
  });

  for (const [name, values] of Object.entries(BAD)) {
    for (const value of values) {
      it(`refuse ${name}=${value}, naming it`, () =>
        expect(refusal({ [name]: value })).to.match(RegExp(`^setting ${name} .`)));
    }
  }

  it('have a bad value in the table above, each that can have one', () => {
    const free = ['HOST', 'DATA_DIR'];
    const names = Object.values(SETTINGS).map(({ name }) => name as string);
    expect(names.filter((name) => !free.includes(name))).to.have.members(Object.keys(BAD));
  });

  it('never show a secret that they refuse', () => {
    expect(refusal({ MASTER_SECRET: 'hunter2' })).not.to.contain('hunter2');
    expect(refusal({ ADMIN_KEY: 'hunter2' })).not.to.contain('hunter2');
    expect(refusal({ EVENTSTORE_URL: 'http://admin:hunter2@db' })).not.to.contain('hunter2');
    expect(refusal({ NATS_URL: 'http://admin:hunter2@db' })).not.to.contain('hunter2');
  });

  it('refuse an interval that is longer than the window, unless there is no window', () => {
    expect(refusal({ RETRY_INTERVAL: '2h', RETRY_WINDOW: '1h' })).to.match(/^setting RETRY_INTERVAL /);
    expect(readSettings({ RETRY_INTERVAL: '1h', RETRY_WINDOW: '1h' }).retryWindowMs).to.equal(HOUR_MS);
    expect(readSettings({ RETRY_WINDOW: '0s' }).retryWindowMs).to.equal(0);
  });

  it('say what each is about', () => {
    for (const { name, about } of Object.values(SETTINGS)) expect(about, name).to.have.length.above(10);
  });
});
