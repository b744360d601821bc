/** A promise that was not kept. */
export interface Violation {
  readonly rule: string;
  readonly detail: string;
}

export const violation = (rule: string, ...detail: readonly unknown[]): Violation => ({
  rule,
  detail: detail.map((part) => (typeof part === 'string' ? part : JSON.stringify(part))).join(' '),
});
