interface Closable {
  once(event: 'close', listener: () => void): unknown;
}

/** The calls that are under way, so that a stop can end each in the way its client expects. */
export class RunningCalls {
  readonly #ends = new Set<() => void>();

  /** `end` finishes the call early. */
  add(call: Closable, end: () => void): void {
    this.#ends.add(end);
    call.once('close', () => this.#ends.delete(end));
  }

  endAll(): void {
    for (const end of this.#ends) end();
  }
}
