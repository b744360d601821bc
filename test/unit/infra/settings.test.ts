import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { DENIED_PORTS, parsePorts } from '../../../infra/outbound/ports.ts';
import { readSettings, SECRETS, SETTINGS, SettingError } from '../../../infra/settings.ts';

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
  NATS_CREDENTIALS_FILE: ['/nowhere/webhooks.creds'],
  NATS_CA_FILE: ['/nowhere/ca.crt'],
  MASTER_SECRET: ['short', 'x'.repeat(31)],
  MASTER_SECRETS: ['short', ',', `${'x'.repeat(32)},short`, `short\n${'x'.repeat(32)}`],
  ADMIN_KEY: ['short', 'x'.repeat(15)],
  MAX_CONNECTIONS: ['0', '-1', 'many'],
  ALLOWED_HOSTS: [',', 'a.example:80', 'https://a.example', 'a b'],
  CORS_ORIGINS: [',', 'a.example', 'https://a.example/', 'https://', 'null', 'ftp://a.example'],
  RETRY_INTERVAL: ['0s', '1', '1d', '-1h', '1.5h', '1 h', 'h', '481h', '1h30m'],
  RETRY_WINDOW: ['1', 'for ever', '481h', '-1ms'],
  DELIVERY_TIMEOUT: ['0ms', '15', '15 s', '15S', '99999999999ms'],
  TREE_HEAD_INTERVAL: ['0s', '99ms', '1', '481h'],
  PUBLISH_LAG_LIMIT: ['0', 'off', '5', '-1s', '481h'],
  PUBLISH_RATE_LIMIT: ['0/s', '10', '10/', '10/1d', '1.5/s', '-1/s', '10/0s', '10/s '],
  TRUSTED_PROXIES: ['proxy', '10.0.0.0/33', '10.0.0/8', '::/129', '10.0.0.1/-1', '10.0.0.1,proxy', ','],
  SUCCESS_STATUS: ['201', '2XX', '200,201', 'any'],
  ALLOW_PRIVATE_NETWORKS: ['yes', 'TRUE', 'on', '2'],
  ALLOWED_NETWORKS: [
    '10',
    '10.0.0.0/33',
    '10.0.0.1/8',
    '10.0.0.0/8;fd00::/8',
    'fd00::/129',
    '::ffff:10.0.0.0/104',
    'all',
  ],
  DENIED_NETWORKS: [
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '010.0.0.0/8',
    '0x7f.1',
    'fe80::%eth0/10',
    'example.com',
    '10.0.0.0/8,',
  ],
  DENIED_PORTS: ['0', '65536', '25-', '30-20', '25;26', 'smtp', '25,', '1e3'],
  DELIVERY_PROXY: ['proxy:3128', 'socks5://proxy', 'http://', 'http://proxy/path', 'http://proxy?x', 'http://proxy#x'],
  AUTO_PAUSE_AFTER: ['0s', '3', 'never', '481h'],
  RETENTION: ['0s', '999ms', '90', 'for ever', '36601d'],
  RETRY_SCHEDULE: ['5', '1h,', ',1h', '0s', '1h*0', '1h*', '*3', '1h * 2', '1h*1001', '1h;2h', '481h', '1h*9999'],
  OTEL_EXPORTER_OTLP_ENDPOINT: ['collector:4318', 'grpc://collector:4317'],
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: ['collector:4318/v1/traces'],
  OTEL_EXPORTER_OTLP_PROTOCOL: ['grpc', 'json'],
  OTEL_SDK_DISABLED: ['yes'],
  OTEL_TRACES_EXPORTER: ['zipkin', 'otlp,console'],
  OTEL_TRACES_SAMPLER: ['jaeger_remote', 'on'],
  OTEL_TRACES_SAMPLER_ARG: ['2', '-0.1', '1e-3', 'half', '1.5'],
  OTEL_BSP_SCHEDULE_DELAY: ['0', '5s'],
  LOG_LEVEL: ['loud', 'INFO', 'warning'],
  NODE_NUMBER: ['-1', '32', 'one'],
};

/** What settings of traces are where none is set. */
const NO_TRACES = {
  ...{ otlpProtocol: 'http/json', otelDisabled: false, otelExporter: 'otlp', otelSampler: 'parentbased_always_on' },
  ...{ otelSamplerRatio: 1, otelScheduleDelayMs: 5_000 },
};

describe('settings', () => {
  it('have defaults, all but what names another machine or a secret', () => {
    expect(readSettings({})).to.deep.equal({
      ...{ port: 8080, host: '127.0.0.1', dataDir: './data', logLevel: 'info', nodeNumber: undefined },
      ...{ eventstoreUrl: undefined, natsUrl: undefined, masterSecret: undefined, adminKey: undefined },
      ...{ natsUser: undefined, natsPassword: undefined, natsCredentialsFile: undefined, natsCaFile: undefined },
      ...{ retryIntervalMs: HOUR_MS, retryWindowMs: 24 * HOUR_MS, deliveryTimeoutMs: 15_000 },
      ...{ masterSecrets: undefined, publishRateLimit: undefined, trustedProxies: [] },
      ...{ publishLagLimitMs: 5_000, successStatus: '200', allowPrivateNetworks: false },
      ...{ maxConnections: 10_000, allowedHosts: undefined, corsOrigins: undefined },
      ...{ allowedNetworks: [], deniedNetworks: [], deniedPorts: parsePorts(DENIED_PORTS), deliveryProxy: undefined },
      ...{ natsReplicas: 1, retrySchedule: undefined, autoPauseAfterMs: undefined, treeHeadIntervalMs: 60_000 },
      retentionMs: undefined,
      ...{ otlpEndpoint: undefined, otlpTracesEndpoint: undefined, ...NO_TRACES },
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
      ...{ MAX_CONNECTIONS: '5', ALLOWED_HOSTS: 'a.example, B.example', CORS_ORIGINS: 'https://c.example,*' },
      ...{ MASTER_SECRETS: `${'n'.repeat(32)}, ${'m'.repeat(32)}\n${'o'.repeat(32)}`, PUBLISH_RATE_LIMIT: '50/10m' },
      ...{
        TRUSTED_PROXIES: '10.0.0.0/8, ::1',
        PUBLISH_LAG_LIMIT: '0s',
        SUCCESS_STATUS: '2xx',
        ALLOW_PRIVATE_NETWORKS: '1',
      },
      ...{ ALLOWED_NETWORKS: '10.1.0.0/16, fd00::/8', DENIED_NETWORKS: '169.254.169.254', DENIED_PORTS: '25, 80-90' },
      ...{ DELIVERY_PROXY: 'http://u:p@proxy:3128' },
      ...{ NATS_USER: 'webhooks', NATS_PASSWORD: 'p', NATS_CA_FILE: import.meta.filename },
      ...{ TREE_HEAD_INTERVAL: '10s', AUTO_PAUSE_AFTER: '72h', RETENTION: '90d' },
      ...{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318', OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://c/t' },
      ...{ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.25', OTEL_SDK_DISABLED: 'true' },
      ...{ OTEL_TRACES_EXPORTER: 'none', OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf', OTEL_BSP_SCHEDULE_DELAY: '50' },
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
      ...{ retrySchedule: undefined, autoPauseAfterMs: 72 * HOUR_MS },
      ...{ publishLagLimitMs: 0, successStatus: '2xx', allowPrivateNetworks: true, maxConnections: 5 },
      ...{ allowedHosts: ['a.example', 'b.example'], corsOrigins: ['https://c.example', '*'] },
      ...{
        masterSecrets: ['n', 'm', 'o'].map((letter) => letter.repeat(32)),
        publishRateLimit: { quota: 50, windowS: 600 },
        trustedProxies: ['10.0.0.0/8', '::1/128'],
      },
      ...{ allowedNetworks: ['10.1.0.0/16', 'fd00::/8'], deniedNetworks: ['169.254.169.254/32'] },
      ...{
        deniedPorts: [
          [25, 25],
          [80, 90],
        ],
        deliveryProxy: 'http://u:p@proxy:3128',
      },
      ...{ natsUser: 'webhooks', natsPassword: 'p', natsCaFile: import.meta.filename, natsCredentialsFile: undefined },
      ...{ treeHeadIntervalMs: 10_000, retentionMs: 90 * 24 * HOUR_MS },
      ...{ otlpEndpoint: 'http://c:4318', otlpTracesEndpoint: 'https://c/t', otlpProtocol: 'http/protobuf' },
      ...{ otelSampler: 'traceidratio', otelSamplerRatio: 0.25, otelDisabled: true, otelExporter: 'none' },
      otelScheduleDelayMs: 50,
    });
  });

  it('are absent where they are empty', () => {
    const empty = Object.fromEntries(Object.values(SETTINGS).map(({ name }) => [name, '']));
    expect(readSettings(empty)).to.deep.equal(readSettings({}));
  });

  it('name no networks and no ports where they say none', () => {
    const env = { ALLOWED_NETWORKS: 'none', DENIED_NETWORKS: 'none', DENIED_PORTS: 'none', TRUSTED_PROXIES: 'none' };
    expect(readSettings(env)).to.deep.include({ allowedNetworks: [], deniedNetworks: [], deniedPorts: [] });
    expect(readSettings(env)).to.deep.include({ trustedProxies: [] });
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
    const free = ['HOST', 'DATA_DIR', 'NATS_USER', 'NATS_PASSWORD'];
    const names = Object.values(SETTINGS).map(({ name }) => name as string);
    expect(names.filter((name) => !free.includes(name))).to.have.members(Object.keys(BAD));
  });

  it('never show a secret that they refuse', () => {
    expect(refusal({ MASTER_SECRET: 'hunter2' })).not.to.contain('hunter2');
    expect(refusal({ MASTER_SECRETS: `${'x'.repeat(32)},hunter2` })).not.to.match(/hunter2|xxx/);
    expect(refusal({ ADMIN_KEY: 'hunter2' })).not.to.contain('hunter2');
    expect(refusal({ EVENTSTORE_URL: 'http://admin:hunter2@db' })).not.to.contain('hunter2');
    expect(refusal({ DELIVERY_PROXY: 'ftp://user:hunter2@proxy' })).not.to.contain('hunter2');
    expect(refusal({ NATS_URL: 'http://admin:hunter2@db' })).not.to.contain('hunter2');
  });

  it('refuse an interval that is longer than the window, unless there is no window', () => {
    expect(refusal({ RETRY_INTERVAL: '2h', RETRY_WINDOW: '1h' })).to.match(/^setting RETRY_INTERVAL /);
    expect(readSettings({ RETRY_INTERVAL: '1h', RETRY_WINDOW: '1h' }).retryWindowMs).to.equal(HOUR_MS);
    expect(readSettings({ RETRY_WINDOW: '0s' }).retryWindowMs).to.equal(0);
  });

  it('take a schedule for what its waits are, as often as they are', () => {
    const unit = fc.constantFrom('ms', 's', 'm', 'h');
    const part = fc.tuple(fc.integer({ min: 1, max: 480 }), unit, fc.integer({ min: 1, max: 30 }));
    const MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as Record<string, number>;
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 30 }), fc.constantFrom(',', ', '), (parts, comma) => {
        const text = parts.map(([number, unit, count]) => `${number}${unit}${count === 1 ? '' : `*${count}`}`);
        const waits = parts.flatMap(([number, unit, count]) => Array(count).fill(number * (MS[unit] ?? 0)));
        expect(readSettings({ RETRY_SCHEDULE: text.join(comma) }).retrySchedule).to.deep.equal(waits);
      }),
    );
  });

  it('refuse a schedule beside an interval or a window', () => {
    for (const other of ['RETRY_INTERVAL', 'RETRY_WINDOW']) {
      const setting = refusal({ RETRY_SCHEDULE: '1h', [other]: '1h' });
      expect(setting).to.equal(`setting RETRY_SCHEDULE must not be set where ${other} is`);
    }
  });

  it('take user and password together, and no credentials file beside them', () => {
    expect(refusal({ NATS_USER: 'u' })).to.match(/^setting NATS_USER /);
    expect(refusal({ NATS_PASSWORD: 'p' })).to.match(/^setting NATS_USER /);
    const both = { NATS_USER: 'u', NATS_PASSWORD: 'p', NATS_CREDENTIALS_FILE: import.meta.filename };
    expect(refusal(both)).to.match(/^setting NATS_CREDENTIALS_FILE /);
    const file = import.meta.filename;
    const settings = readSettings({ NATS_URL: 'nats://a', NATS_CREDENTIALS_FILE: file });
    expect(settings.natsCredentialsFile).to.equal(file);
  });

  it('take how to get in only where they name the NATS server', () => {
    const file = import.meta.filename;
    for (const env of [
      { NATS_USER: 'u', NATS_PASSWORD: 'p' },
      { NATS_CREDENTIALS_FILE: file },
      { NATS_CA_FILE: file },
    ] as Env[]) {
      expect(refusal(env)).to.match(/^setting NATS_URL is needed/);
    }
  });

  it('say what each is about', () => {
    for (const { name, about } of Object.values(SETTINGS)) expect(about, name).to.have.length.above(10);
  });
});

describe('settings from files', () => {
  let home: string;
  before(() => {
    home = mkdtempSync(join(tmpdir(), 'webhooks-settings-'));
  });
  after(() => rmSync(home, { recursive: true, force: true }));

  function fileOf(content: string): string {
    const file = join(home, 'secret');
    writeFileSync(file, content);
    return file;
  }

  const VALUE: Readonly<Record<string, string>> = {
    EVENTSTORE_URL: 'esdb://admin:hunter2@db',
    NATS_URL: 'nats://db',
    NATS_PASSWORD: 'hunter2',
    MASTER_SECRET: 'm'.repeat(32),
    MASTER_SECRETS: `${'n'.repeat(32)}\n${'m'.repeat(32)}`,
    ADMIN_KEY: 'a'.repeat(16),
    DELIVERY_PROXY: 'http://user:hunter2@proxy:3128',
  };

  for (const name of SECRETS) {
    it(`take ${name} from the file that ${name}_FILE names`, () => {
      const others: Env = name === 'NATS_PASSWORD' ? { NATS_USER: 'u', NATS_URL: 'nats://a' } : {};
      const field = Object.entries(SETTINGS).find(([, setting]) => setting.name === name)?.[0];
      const settings = readSettings({ ...others, [`${name}_FILE`]: fileOf(`${VALUE[name]}\n`) });
      const expected = name === 'MASTER_SECRETS' ? VALUE[name]?.split('\n') : VALUE[name];
      expect(settings).to.have.deep.property(field as string, expected);
    });
  }

  it('trim one newline at the end, and nothing else', () => {
    const read = (content: string) => readSettings({ ADMIN_KEY_FILE: fileOf(content) }).adminKey;
    const key = ' a key with spaces in it ';
    for (const end of ['', '\n', '\r\n']) expect(read(key + end)).to.equal(key);
    expect(read(`${key}\n\n`)).to.equal(`${key}\n`);
  });

  it('refuse a file that is missing, empty, or given beside the value', () => {
    expect(refusal({ ADMIN_KEY_FILE: join(home, 'missing') })).to.match(/^setting ADMIN_KEY_FILE .*ENOENT/);
    expect(refusal({ ADMIN_KEY_FILE: home })).to.match(/^setting ADMIN_KEY_FILE .*EISDIR/);
    for (const nothing of ['', '\n']) {
      expect(refusal({ ADMIN_KEY_FILE: fileOf(nothing) })).to.match(/^setting ADMIN_KEY_FILE .*empty/);
    }
    const both = { ADMIN_KEY_FILE: fileOf('a'.repeat(16)), ADMIN_KEY: 'a'.repeat(16) };
    expect(refusal(both)).to.match(/^setting ADMIN_KEY_FILE must not be set where ADMIN_KEY is/);
  });

  it('hold what is in them to the same rules, and do not show it', () => {
    const refused = refusal({ ADMIN_KEY_FILE: fileOf('hunter2') });
    expect(refused)
      .to.match(/^setting ADMIN_KEY must have/)
      .and.not.to.contain('hunter2');
  });

  it('have no file in place of what is no secret', () => {
    expect(readSettings({ PORT_FILE: fileOf('1234') }).port).to.equal(8080);
  });
});
