import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { Refused } from './api.ts';

export interface Loaded<T> {
  /** What was loaded last; undefined before that. */
  readonly data: T | undefined;
  readonly refused: Refused | undefined;
  /** Loads it again, and shows what there is until then. */
  readonly again: () => Promise<void>;
}

/** How often something is loaded again while somebody looks, in ms: 0: not; it may depend on what was loaded last. */
type Often<T> = number | ((data: T | undefined) => number);

/**
 * What `load` answers, loaded anew when one of `about` changes, and every so often. What comes later than something that was asked for after it is dropped; what
 * the key may not see (any more) is not asked for again by itself.
 */
export function useLoaded<T>(load: () => Promise<T>, about: readonly unknown[], often: Often<T> = 0): Loaded<T> {
  const [state, setState] = useState<{ data?: T; refused?: Refused }>({});
  const [asked, shown] = [useRef(0), useRef(0)];
  const again = useCallback(async () => {
    asked.current += 1;
    const mine = asked.current;
    const outcome = await load().then(
      (data) => ({ data }),
      (error: unknown) => {
        if (error instanceof Refused) return { refused: error };
        throw error;
      },
    );
    if (mine <= shown.current) return;
    shown.current = mine;
    setState((before) => ({ ...before, refused: undefined, ...outcome }) as typeof before);
  }, [...about]);
  useEffect(() => {
    setState({});
    void again();
    return () => {
      shown.current = asked.current;
    };
  }, [again]);
  const everyMs = typeof often === 'number' ? often : often(state.data);
  useEvery(state.refused?.isForGood ? 0 : everyMs, again);
  return { data: state.data, refused: state.refused, again };
}

/** Does something every so often while the page is looked at; 0: never. */
function useEvery(everyMs: number, act: () => unknown): void {
  useEffect(() => {
    if (everyMs === 0) return;
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') act();
    }, everyMs);
    return () => clearInterval(timer);
  }, [everyMs, act]);
}

/** How long after something happened it is looked what became of it, in ms, and how long after that again. */
const SOON_MS = 300;
const LATER_MS = [700, 2_000];

/** @returns what to call when something has happened: it is looked a few times, never more often than that, however much happens */
export function useLooks(look: () => unknown): () => void {
  const looker = useRef(look);
  looker.current = look;
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const waits = useRef<number[]>([]);
  useEffect(() => () => clearTimeout(timer.current), []);
  return useCallback(() => {
    waits.current = [...LATER_MS];
    if (timer.current === undefined) lookIn(SOON_MS);
  }, []);

  function lookIn(ms: number) {
    timer.current = setTimeout(() => {
      timer.current = undefined;
      looker.current();
      const next = waits.current.shift();
      if (next !== undefined) lookIn(next);
    }, ms);
  }
}

/** Loads again whenever `looks` has changed. */
export function useLooksOf(looks: number, again: () => unknown): void {
  useEffect(() => {
    if (looks > 0) again();
  }, [looks]);
}

/** Now, in ms since the epoch, renewed every `everyMs`; 0: only with the page. */
export function useNow(everyMs: number): number {
  const [nowMs, setNowMs] = useState(Date.now());
  const renew = useCallback(() => setNowMs(Date.now()), []);
  useEvery(everyMs, renew);
  return everyMs === 0 ? Date.now() : nowMs;
}

/** Whether the light is low: what is drawn in colours of its own is drawn anew where that changes. */
export function useDark(): boolean {
  const [isDark, setDark] = useState(() => DARK.matches);
  useEffect(() => {
    const changed = () => setDark(DARK.matches);
    DARK.addEventListener('change', changed);
    return () => DARK.removeEventListener('change', changed);
  }, []);
  return isDark;
}

const DARK = matchMedia('(prefers-color-scheme: dark)');
