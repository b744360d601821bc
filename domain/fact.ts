/** Turns a map of fact names to their data into a discriminated union on `type`. */
export type Facts<M> = { [T in keyof M & string]: { readonly type: T; readonly data: Readonly<M[T]> } }[keyof M &
  string];

/** Data of a fact that says nothing but that it happened. */
export type Nothing = Record<string, never>;

/** In facts that bring keys or secrets into being: the name of the master secret that they are made with. Facts of before there were names have none. */
export interface MadeWith {
  readonly made_with?: string | undefined;
}
