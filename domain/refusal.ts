/** Why the domain refuses a command. The gateway's problem table gives each its status and title. */
export type RefusalCode =
  | 'channel-not-found'
  | 'channel-exists'
  | 'webhook-not-found'
  | 'webhook-exists'
  | 'guid-taken'
  | 'guid-immutable'
  | 'fields-invalid'
  | 'idempotency-key-reused';

export class Refusal extends Error {
  readonly code: RefusalCode;
  /** The body field that is at fault, where it is one. */
  readonly field: string | undefined;

  constructor(code: RefusalCode, detail: string, field?: string) {
    super(detail);
    this.name = 'Refusal';
    this.code = code;
    this.field = field;
  }
}
