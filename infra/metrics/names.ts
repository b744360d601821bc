/** A metric: all that there is to know about it. */
export interface Metric<L extends string = string> {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly name: string;
  readonly help: string;
  readonly labels: readonly L[];
  /** Of a histogram: the upper ends of its buckets. */
  readonly buckets?: readonly number[];
}

const counter = <const L extends string = never>(name: string, help: string, labels: readonly L[] = []) =>
  ({ type: 'counter', name, help, labels }) as const satisfies Metric<L>;

/** With no label, or one that tells apart what is looked up together. */
const gauge = <const L extends string = never>(name: string, help: string, labels: readonly L[] = []) =>
  ({ type: 'gauge', name, help, labels }) as const satisfies Metric<L>;

const histogram = <const L extends string = never>(
  name: string,
  help: string,
  buckets: readonly number[],
  labels: readonly L[] = [],
) => ({ type: 'histogram', name, help, labels, buckets }) as const satisfies Metric<L>;

/** In s: an answer of ours, an append, a commit. */
const QUICK = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** In s: what others take, or what waits. */
const LONG = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30, 60, 300];

/** Every metric that `/metrics` serves: the table in docs/observability.md is held to this one, and what dashboards and alerts ask for. */
export const METRICS = {
  processUp: gauge('webhooks_process_up', 'Whether a process of this node has told its figures in time'),

  httpRequests: counter('webhooks_http_requests_total', 'Requests that were answered', ['method', 'route', 'status']),
  httpDuration: histogram('webhooks_http_request_duration_seconds', 'From a request to its answer', QUICK, [
    'method',
    'route',
  ]),
  httpInFlight: gauge('webhooks_http_requests_in_flight', 'Requests that are not answered yet'),
  eventsAccepted: counter('webhooks_events_accepted_total', 'Events that were published'),

  appendDuration: histogram('webhooks_append_duration_seconds', 'How long the event store took to keep facts', QUICK),
  appendFailures: counter('webhooks_append_failures_total', 'Appends that came to nothing, or may have', ['reason']),
  storeUp: gauge('webhooks_eventstore_up', 'Whether the event store answers'),
  queueUp: gauge('webhooks_queue_up', 'Whether the queue answers'),

  queueMessages: gauge('webhooks_queue_messages', 'Messages that the queue holds', ['state']),
  queueAge: gauge('webhooks_queue_age_seconds', 'Age of the oldest message that no worker has taken'),
  deliveriesDue: gauge('webhooks_deliveries_due', 'Deliveries whose attempt is due, counted up to 100,000'),
  oldestDue: gauge('webhooks_oldest_due_delivery_age_seconds', 'For how long the oldest of these has been due'),
  projectionLag: gauge('webhooks_projection_lag_seconds', 'Age of the oldest fact that is not in the read models'),
  relayLag: gauge('webhooks_relay_lag_seconds', 'Age of the oldest fact that the relay has not put on the queue'),

  diskFree: gauge('webhooks_disk_free_bytes', 'Room on the disk under DATA_DIR'),
  diskSize: gauge('webhooks_disk_size_bytes', 'The size of that disk'),

  factsProjected: counter('webhooks_facts_projected_total', 'Facts that were folded into the read models'),
  projectionDuration: histogram('webhooks_projection_batch_seconds', 'How long a batch of facts took', QUICK),

  relayLeads: gauge('webhooks_relay_leading', 'Whether the relay of this process leads'),

  attempts: counter('webhooks_attempts_total', 'Attempts that were recorded', ['outcome', 'result']),
  attemptDuration: histogram('webhooks_attempt_duration_seconds', 'From connect to the end of the headers', LONG, [
    'outcome',
  ]),
  firstAttemptDelay: histogram(
    'webhooks_first_attempt_delay_seconds',
    'From a publication to the first attempt of its delivery',
    LONG,
  ),
  attemptsInFlight: gauge('webhooks_attempts_in_flight', 'Attempts under way'),

  cpu: counter('process_cpu_seconds_total', 'CPU time, of user and system'),
  memory: gauge('process_resident_memory_bytes', 'Resident memory'),
  heap: gauge('nodejs_heap_used_bytes', 'Heap of JavaScript in use'),
  startTime: gauge('process_start_time_seconds', 'When the process began, in s since the epoch'),
  loopBusy: counter('nodejs_eventloop_busy_seconds_total', 'Time in which the event loop was not waiting'),
  loopLag: gauge('nodejs_eventloop_lag_seconds', 'By how much timers were late since the last look', ['quantile']),
} as const;
