import { Client, type Dispatcher } from 'undici';

/** A handler that is told, before its request is dispatched, which connection is to carry it. */
export interface CarriedHandler extends Dispatcher.DispatchHandler {
  carriedBy(connection: Connection): void;
}

/** One place in a pool: a socket at a time, and one request at a time on it. Knows whether the socket has carried one before. */
export class Connection extends Client {
  #carried = 0;

  constructor(origin: URL | string, options: object) {
    super(origin, options);
    this.on('connect', () => {
      this.#carried = 0;
    });
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    (handler as CarriedHandler).carriedBy(this);
    return super.dispatch(options, handler);
  }

  /** To be called when a request goes out. @returns whether the socket has carried one before */
  noteRequest(): boolean {
    this.#carried += 1;
    return this.#carried > 1;
  }
}
