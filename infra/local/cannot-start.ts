/** Why something cannot start, in one line for whoever started it. To try again would not mend it. */
export class CannotStart extends Error {
  override readonly name = 'CannotStart';
}

/** Exit code that tells a supervisor the same: EX_CONFIG of sysexits.h. */
export const CANNOT_START_CODE = 78;
