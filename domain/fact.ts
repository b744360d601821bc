/** Turns a map of fact names to their data into a discriminated union on `type`. */
export type Facts<M> = { [T in keyof M & string]: { readonly type: T; readonly data: Readonly<M[T]> } }[keyof M &
  string];

/** Data of a fact that says nothing but that it happened. */
export type Nothing = Record<string, never>;
