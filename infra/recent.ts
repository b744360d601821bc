/** An answer that was asked for no longer ago than `recentMs`; one that failed is asked for again. */
export function createRecent<T>(ask: () => Promise<T>, recentMs: number): () => Promise<T> {
  let last: { readonly askedMs: number; readonly answer: Promise<T> } | undefined;
  return () => {
    const nowMs = performance.now();
    if (last && nowMs - last.askedMs < recentMs) return last.answer;
    const asked = { askedMs: nowMs, answer: ask() };
    last = asked;
    asked.answer.catch(() => {
      if (last === asked) last = undefined;
    });
    return asked.answer;
  };
}
