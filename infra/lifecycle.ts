/** A part of a running process. `start` resolves when it serves; `stop` drains it and resolves when nothing of it is left. */
export interface Service {
  readonly name: string;
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface Running {
  stop(): Promise<void>;
  /** Name of the service that `stop` is waiting for; undefined where it waits for none. */
  stoppingNow(): string | undefined;
}

/**
 * Starts services in order; the returned `stop` ends them in reverse order, once, however often it is called.
 * Where a start fails, what had started is stopped again and the error is thrown.
 */
export async function startAll(services: readonly Service[]): Promise<Running> {
  const started: Service[] = [];
  let stoppingNow: string | undefined;
  const stopStarted = async () => {
    const errors: unknown[] = [];
    for (const service of started.splice(0).reverse()) {
      stoppingNow = service.name;
      await service.stop().catch((error) => errors.push(new Error(`${service.name} did not stop`, { cause: error })));
    }
    stoppingNow = undefined;
    if (errors.length > 0) throw new AggregateError(errors, 'some services did not stop');
  };
  for (const service of services) {
    try {
      await service.start();
      started.push(service);
    } catch (error) {
      // What does not stop either matters less than why this one did not start.
      await stopStarted().catch(() => {});
      throw new Error(`${service.name} did not start`, { cause: error });
    }
  }
  let stopping: Promise<void> | undefined;
  return {
    stoppingNow: () => stoppingNow,
    stop: () => {
      stopping ??= stopStarted();
      return stopping;
    },
  };
}
