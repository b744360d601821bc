/** How long anything may take until it counts as hanging, in ms. */
export const PATIENCE_MS = 10_000;
