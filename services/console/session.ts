import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { type Api, apiWith, Refused } from './api.ts';

/** Who has signed in, with what, and where they may look. */
export interface Session {
  readonly key: string;
  readonly role: 'publisher' | 'subscriber' | 'admin';
  /** Id or guid; absent of an admin who is to choose. */
  readonly channel?: string;
  /** The one webhook of a subscriber. */
  readonly webhook?: string;
}

/** In the tab alone: another tab, or this one opened anew, asks again. */
const STORED = 'webhooks.session';

export function storedSession(): Session | undefined {
  const stored = sessionStorage.getItem(STORED);
  return stored === null ? undefined : JSON.parse(stored);
}

export function store(session: Session): void {
  sessionStorage.setItem(STORED, JSON.stringify(session));
}

export function forget(): void {
  sessionStorage.removeItem(STORED);
}

/** What kind of key it is, by how it begins: only an admin's has no form. */
export function roleOf(key: string): Session['role'] {
  if (key.startsWith('pk_')) return 'publisher';
  return key.startsWith('sk_') ? 'subscriber' : 'admin';
}

/** Asks the API for what the key is good for. @throws Refused */
export async function signIn(key: string, channel: string, webhook: string): Promise<Session> {
  const api = apiWith(key);
  const role = roleOf(key);
  const of = `/v1/channels/${encodeURIComponent(channel)}`;
  if (role === 'subscriber') {
    await api.get(`${of}/webhooks/${encodeURIComponent(webhook)}`);
    return { key, role, channel, webhook };
  }
  if (role === 'admin') await api.get('/v1/channels', { limit: 1 });
  if (channel === '') return { key, role };
  const { id } = await api.get<{ id: number }>(of);
  return { key, role, channel: String(id) };
}

/** In words of a person who has typed a key. */
export function whyNotSignedIn(error: Refused): string {
  if (error.status === 401) return 'This is not a key: keys begin with pk_ or sk_ and have 40 digits behind that.';
  if (error.status === 403) return 'This key is not one of that channel or webhook. It may have been replaced.';
  if (error.status === 404) return 'There is no such channel or webhook.';
  return error.message;
}

export interface SignedIn {
  readonly session: Session;
  readonly api: Api;
  /** Goes on with another key for the same: that before it was replaced. */
  readonly takeKey: (key: string) => void;
  /** Says something in the corner, and to screen readers. */
  readonly say: (text: string, kind?: 'good' | 'bad') => void;
}

export const SignedInContext = createContext<SignedIn | undefined>(undefined);

export function useSignedIn(): SignedIn {
  const signedIn = useContext(SignedInContext);
  if (!signedIn) throw new Error('nobody has signed in');
  return signedIn;
}

/** Does something that somebody asked for, and says how it went. @returns whether it went well */
export function useDoing() {
  const { say } = useSignedIn();
  return async (done: string, act: () => Promise<unknown>): Promise<boolean> => {
    try {
      await act();
      say(done);
      return true;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      say(error.message, 'bad');
      return false;
    }
  };
}
