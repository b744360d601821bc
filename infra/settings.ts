import { readFileSync } from 'node:fs';
import { type Network, parseNetworks } from './networks.ts';
import { DENIED_PORTS, type PortRange, parsePorts } from './outbound/ports.ts';
import {
  atLeast,
  boolean,
  durationMs,
  list,
  listOf,
  type Ms,
  noneOr,
  oneOf,
  part,
  proxyUrl,
  type RateLimit,
  rateLimit,
  readableFile,
  retention,
  schedule,
  text,
  url,
  wholeNumber,
} from './setting-values.ts';
import { SAMPLERS, type Sampling } from './tracing/sampler.ts';

export interface Settings {
  readonly port: number;
  readonly host: string;
  /** Connections that the gateway holds at a time. */
  readonly maxConnections: number;
  /** Names under which the gateway may be called, in lower case; absent: localhost and addresses where it listens on loopback, any elsewhere. */
  readonly allowedHosts: readonly string[] | undefined;
  /** Origins whose pages may use the API from a browser; `*`: all; absent: none. */
  readonly corsOrigins: readonly string[] | undefined;
  readonly dataDir: string;
  readonly eventstoreUrl: string | undefined;
  readonly natsUrl: string | undefined;
  /** On how many servers of a NATS cluster each message is kept. */
  readonly natsReplicas: number;
  readonly natsUser: string | undefined;
  readonly natsPassword: string | undefined;
  /** Path of a NATS credentials file: in place of user and password. */
  readonly natsCredentialsFile: string | undefined;
  /** Path of the certificates, in PEM, that sign the NATS servers' own; with it a server without TLS is refused. */
  readonly natsCaFile: string | undefined;
  readonly masterSecret: string | undefined;
  /** Newest first. */
  readonly masterSecrets: readonly string[] | undefined;
  readonly adminKey: string | undefined;
  readonly retryIntervalMs: Ms;
  readonly retryWindowMs: Ms;
  /** How long to wait after each attempt, one after the other: in place of interval and window. */
  readonly retrySchedule: readonly Ms[] | undefined;
  /** How long a webhook may fail before it is paused. */
  readonly autoPauseAfterMs: Ms | undefined;
  /** How long events are kept. */
  readonly retentionMs: Ms | undefined;
  readonly deliveryTimeoutMs: Ms;
  /** How often the head of the tree over the log is signed, where there are new facts. */
  readonly treeHeadIntervalMs: Ms;
  /** How long a publication may have to wait for its delivery to begin before more are slowed and refused; 0: as long as it takes. */
  readonly publishLagLimitMs: Ms;
  /** What each channel may publish at one gateway. */
  readonly publishRateLimit: RateLimit | undefined;
  /** Addresses and networks (CIDR) of proxies that say whom they speak for. */
  readonly trustedProxies: readonly Network[];
  readonly successStatus: '200' | '2xx';
  readonly allowPrivateNetworks: boolean;
  readonly allowedNetworks: readonly Network[];
  readonly deniedNetworks: readonly Network[];
  readonly deniedPorts: readonly PortRange[];
  /** URL of an HTTP proxy that all deliveries go through. */
  readonly deliveryProxy: string | undefined;
  readonly logLevel: (typeof LOG_LEVELS)[number];
  /** Where spans are sent, by OTLP over HTTP: the base of the collector's URLs, or the URL for spans itself; both absent: there are none. */
  readonly otlpEndpoint: string | undefined;
  readonly otlpTracesEndpoint: string | undefined;
  readonly otlpProtocol: (typeof OTLP_PROTOCOLS)[number];
  readonly otelDisabled: boolean;
  readonly otelExporter: (typeof OTEL_EXPORTERS)[number];
  readonly otelSampler: Sampling['otelSampler'];
  readonly otelSamplerRatio: number;
  /** How long spans wait for others to be sent with, in ms. */
  readonly otelScheduleDelayMs: Ms;
  /** Number of this node in the ids it makes, 0 to 31: two gateways of one deployment need different ones. */
  readonly nodeNumber: number | undefined;
}

const OTLP_PROTOCOLS = ['http/json', 'http/protobuf'] as const;
const OTEL_EXPORTERS = ['otlp', 'none'] as const;
const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

interface Row<T> {
  readonly name: string;
  readonly fallback: string | undefined;
  /** Returns the value, or throws an Error whose message says what is accepted. */
  readonly parse: (text: string) => T;
  readonly about: string;
}

const row = <T>(name: string, fallback: string | undefined, parse: (text: string) => T, about: string): Row<T> => ({
  name,
  fallback,
  parse,
  about,
});

const MASTER_SECRET_LENGTH = 32;

/** Every setting there is: the README's table is held to this one by a test. */
export const SETTINGS = {
  port: row('PORT', '8080', wholeNumber(0, 65_535), 'port of the gateway; 0 takes a free one'),
  host: row('HOST', '127.0.0.1', text, 'address the gateway listens on'),
  maxConnections: row(
    'MAX_CONNECTIONS',
    '10000',
    wholeNumber(1, 1_000_000),
    'connections that the gateway holds at a time; more are closed as they come',
  ),
  allowedHosts: row<readonly string[] | undefined>(
    'ALLOWED_HOSTS',
    undefined,
    list(/^[a-z0-9.-]+$/, 'host names without port'),
    'names the gateway may be called by, separated by commas, beside localhost and addresses; absent: no other where `HOST` is loopback, else any',
  ),
  corsOrigins: row<readonly string[] | undefined>(
    'CORS_ORIGINS',
    undefined,
    list(/^(\*|https?:\/\/[^/?#@\s]+)$/, 'origins such as https://example.com, or *'),
    'origins whose pages may use the API in a browser, separated by commas; `*`: all; absent: none',
  ),
  dataDir: row('DATA_DIR', './data', text, 'where the local servers, read models and generated secrets lie'),
  eventstoreUrl: row<string | undefined>(
    'EVENTSTORE_URL',
    undefined,
    url(/^esdb(\+discover)?:/, 'an esdb:// URL'),
    'EventStoreDB connection string; absent: a local one is started',
  ),
  natsUrl: row<string | undefined>(
    'NATS_URL',
    undefined,
    url(/^(nats|tls):[^,]+(,(nats|tls):[^,]+)*$/, 'a nats:// URL, or several with commas between'),
    'NATS servers, separated by commas; absent: a local one is started',
  ),
  natsReplicas: row(
    'NATS_REPLICAS',
    '1',
    wholeNumber(1, 5),
    'on how many servers of the NATS cluster each message is kept; 3 bears the loss of one',
  ),
  natsUser: row<string | undefined>('NATS_USER', undefined, text, 'user at the NATS server, with NATS_PASSWORD'),
  natsPassword: row<string | undefined>('NATS_PASSWORD', undefined, text, 'password of NATS_USER'),
  natsCredentialsFile: row<string | undefined>(
    'NATS_CREDENTIALS_FILE',
    undefined,
    readableFile,
    'NATS credentials file (.creds), in place of user and password',
  ),
  natsCaFile: row<string | undefined>(
    'NATS_CA_FILE',
    undefined,
    readableFile,
    "certificates (PEM) that sign the NATS servers' own: connects by TLS alone",
  ),
  masterSecret: row<string | undefined>(
    'MASTER_SECRET',
    undefined,
    atLeast(MASTER_SECRET_LENGTH),
    'secret that all keys are derived from, 32 characters or more; absent: generated once into DATA_DIR',
  ),
  masterSecrets: row<readonly string[] | undefined>(
    'MASTER_SECRETS',
    undefined,
    listOf(atLeast(MASTER_SECRET_LENGTH), /[,\n]/),
    'to change MASTER_SECRET: all that are in use, newest first, separated by commas or newlines',
  ),
  adminKey: row<string | undefined>(
    'ADMIN_KEY',
    undefined,
    atLeast(16),
    'key that may do everything and is then needed to create channels, 16 characters or more',
  ),
  retryIntervalMs: row('RETRY_INTERVAL', '1h', durationMs(1), 'wait between two attempts of a delivery'),
  retryWindowMs: row('RETRY_WINDOW', '24h', durationMs(0), 'how long after publication a delivery is retried'),
  retrySchedule: row<readonly Ms[] | undefined>(
    'RETRY_SCHEDULE',
    undefined,
    schedule,
    'waits after each attempt of a delivery, such as `30s,5m,1h*23`, in place of `RETRY_INTERVAL` and `RETRY_WINDOW`',
  ),
  autoPauseAfterMs: row<Ms | undefined>(
    'AUTO_PAUSE_AFTER',
    undefined,
    durationMs(1),
    'how long a webhook may fail before it is paused; absent: for ever',
  ),
  retentionMs: row<Ms | undefined>(
    'RETENTION',
    undefined,
    retention,
    'how long events are kept, with their deliveries and attempts, such as `90d`; absent: for ever',
  ),
  deliveryTimeoutMs: row(
    'DELIVERY_TIMEOUT',
    '15s',
    durationMs(1),
    'time from connect to the end of the response headers',
  ),
  treeHeadIntervalMs: row(
    'TREE_HEAD_INTERVAL',
    '1m',
    durationMs(100),
    'how often a head of the tree over the log is signed, where there are new facts',
  ),
  publishLagLimitMs: row(
    'PUBLISH_LAG_LIMIT',
    '5s',
    durationMs(0),
    'how far projector, relay and queue may lag before publishing slows and answers 503; 0s: never',
  ),
  publishRateLimit: row<RateLimit | undefined>(
    'PUBLISH_RATE_LIMIT',
    undefined,
    rateLimit,
    'how many events a channel may publish in a time, such as `100/s` or `5000/10m`, at each gateway; absent: as many as it wants',
  ),
  trustedProxies: row<readonly Network[]>(
    'TRUSTED_PROXIES',
    'none',
    noneOr(parseNetworks),
    'networks of proxies whose `X-Forwarded-For` is believed',
  ),
  successStatus: row(
    'SUCCESS_STATUS',
    '200',
    oneOf(['200', '2xx'] as const),
    'answers that count as delivered: 200 or 2xx',
  ),
  allowPrivateNetworks: row(
    'ALLOW_PRIVATE_NETWORKS',
    'false',
    boolean,
    'whether deliveries may reach private and local addresses',
  ),
  allowedNetworks: row<readonly Network[]>(
    'ALLOWED_NETWORKS',
    'none',
    noneOr(parseNetworks),
    'networks (10.1.0.0/16,fd00::/8) that deliveries may reach although they are private',
  ),
  deniedNetworks: row<readonly Network[]>(
    'DENIED_NETWORKS',
    'none',
    noneOr(parseNetworks),
    'networks that deliveries never reach, whatever else is allowed',
  ),
  deniedPorts: row<readonly PortRange[]>(
    'DENIED_PORTS',
    DENIED_PORTS,
    noneOr(parsePorts),
    'ports that deliveries never reach',
  ),
  deliveryProxy: row<string | undefined>(
    'DELIVERY_PROXY',
    undefined,
    proxyUrl,
    'HTTP proxy (http://user:password@host:port) that deliveries go out through, by CONNECT',
  ),
  logLevel: row('LOG_LEVEL', 'info', oneOf(LOG_LEVELS), 'least severity that is logged'),
  otlpEndpoint: row<string | undefined>(
    'OTEL_EXPORTER_OTLP_ENDPOINT',
    undefined,
    url(/^https?:\/\//, 'an http:// or https:// URL'),
    'where traces are sent, by OTLP over HTTP: the base of the URLs of a collector; absent: there are none',
  ),
  otlpTracesEndpoint: row<string | undefined>(
    'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
    undefined,
    url(/^https?:\/\//, 'an http:// or https:// URL'),
    'the same as a whole URL, such as `http://collector:4318/v1/traces`',
  ),
  otlpProtocol: row(
    'OTEL_EXPORTER_OTLP_PROTOCOL',
    'http/json',
    oneOf(OTLP_PROTOCOLS),
    'how: over HTTP, and always as JSON, which whoever takes `http/protobuf` takes too; `grpc` is not spoken',
  ),
  otelDisabled: row('OTEL_SDK_DISABLED', 'false', boolean, 'no traces, whatever else is set'),
  otelExporter: row('OTEL_TRACES_EXPORTER', 'otlp', oneOf(OTEL_EXPORTERS), '`none`: the same'),
  otelSampler: row(
    'OTEL_TRACES_SAMPLER',
    'parentbased_always_on',
    oneOf(SAMPLERS),
    'which traces are recorded: `always_on`, `always_off`, `traceidratio`, or these with `parentbased_` before them',
  ),
  otelSamplerRatio: row('OTEL_TRACES_SAMPLER_ARG', '1', part, 'of `traceidratio`: the part of them, 0 to 1'),
  otelScheduleDelayMs: row(
    'OTEL_BSP_SCHEDULE_DELAY',
    '5000',
    wholeNumber(1, 600_000),
    'for how many ms spans wait for others to be sent with',
  ),
  nodeNumber: row<number | undefined>(
    'NODE_NUMBER',
    undefined,
    wholeNumber(0, 31),
    'number of this node in the ids it makes, set for all gateways of a deployment or for none; absent: each takes one that is free',
  ),
} satisfies { [K in keyof Settings]: Row<Settings[K]> };

/** What is a secret or holds one: a file may hold it, named by a variable of the same name with `_FILE` behind it. */
export const SECRETS: readonly string[] = [
  'EVENTSTORE_URL',
  'NATS_URL',
  'NATS_PASSWORD',
  'MASTER_SECRET',
  'MASTER_SECRETS',
  'ADMIN_KEY',
  'DELIVERY_PROXY',
];

/** Every variable that is read: the settings, and the files that may hold a secret in their place. */
export const VARIABLES: readonly string[] = [
  ...Object.values(SETTINGS).map(({ name }) => name),
  ...SECRETS.map((name) => `${name}_FILE`),
];

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Reads all settings from the environment, and the files that it names.
 * @throws SettingError naming the setting and what it takes.
 */
export function readSettings(env: Env): Settings {
  const values: Record<string, unknown> = {};
  for (const [field, setting] of Object.entries(SETTINGS)) {
    const given = givenIn(env, setting.name) || setting.fallback;
    try {
      values[field] = given === undefined ? undefined : setting.parse(given);
    } catch (error) {
      throw new SettingError(setting.name, (error as Error).message);
    }
  }
  const settings = Object.freeze(values) as unknown as Settings;
  if (settings.retryIntervalMs > settings.retryWindowMs && settings.retryWindowMs > 0) {
    throw new SettingError('RETRY_INTERVAL', 'must not be longer than RETRY_WINDOW');
  }
  const ruled = ['RETRY_INTERVAL', 'RETRY_WINDOW'].find((name) => env[name]);
  if (settings.retrySchedule && ruled !== undefined) {
    throw new SettingError('RETRY_SCHEDULE', `must not be set where ${ruled} is`);
  }
  checkAccess(settings);
  return settings;
}

/** How to get in at the NATS server. @throws SettingError where that does not fit together */
function checkAccess({ natsUrl, natsUser, natsPassword, natsCredentialsFile, natsCaFile }: Settings): void {
  if ((natsUser === undefined) !== (natsPassword === undefined)) {
    throw new SettingError('NATS_USER', 'and NATS_PASSWORD go together');
  }
  if (natsUser !== undefined && natsCredentialsFile !== undefined) {
    throw new SettingError('NATS_CREDENTIALS_FILE', 'must not be set where NATS_USER is');
  }
  if (natsUrl === undefined && (natsUser ?? natsCredentialsFile ?? natsCaFile) !== undefined) {
    throw new SettingError('NATS_URL', 'is needed where NATS_USER, NATS_CREDENTIALS_FILE or NATS_CA_FILE is set');
  }
}

/** The value of a variable, or of the file that stands in its place. @throws SettingError */
function givenIn(env: Env, name: string): string | undefined {
  const file = SECRETS.includes(name) && env[`${name}_FILE`];
  if (!file) return env[name];
  if (env[name]) throw new SettingError(`${name}_FILE`, `must not be set where ${name} is`);
  const content = contentOf(file, `${name}_FILE`);
  if (content === '') throw new SettingError(`${name}_FILE`, 'must name a file that is not empty');
  return content;
}

/** Without the newline that editors and `echo` leave at the end. */
function contentOf(file: string, setting: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    throw new SettingError(setting, `must name a file that can be read (${(error as Error).message})`);
  }
}

export class SettingError extends Error {
  constructor(setting: string, expected: string) {
    super(`setting ${setting} ${expected}`);
    this.name = 'SettingError';
  }
}
