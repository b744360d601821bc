/** Why something cannot start, in one line for whoever started it. To try again would not mend it. */
export class CannotStart extends Error {
  override readonly name = 'CannotStart';
}

/** Exit code that tells a supervisor the same: EX_CONFIG of sysexits.h. */
export const CANNOT_START_CODE = 78;

/** What its data lies in is damaged: even what has served before is not started again, since nothing but a restore mends it. */
export class DataDamaged extends CannotStart {}

/** EX_DATAERR of sysexits.h. */
export const DATA_DAMAGED_CODE = 65;

/** What a process that ends by this error tells its supervisor. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof DataDamaged) return DATA_DAMAGED_CODE;
  return error instanceof CannotStart ? CANNOT_START_CODE : 1;
}
