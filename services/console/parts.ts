import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import type { Refused } from './api.ts';
import { html } from './html.ts';
import { type Loaded, useNow } from './loaded.ts';
import { useDoing } from './session.ts';
import { ago, countdown, dateAndClock } from './words.ts';

interface Children {
  readonly children?: ComponentChildren;
}

/** A part of a page with a heading of its own. */
export function Card({ title, aside, children, kind = '' }: Children & CardProps) {
  const id = useId();
  return html`<section class=${`card ${kind}`} aria-labelledby=${id}>
    <header><h2 id=${id}>${title}</h2>${aside}</header>
    ${children}
  </section>`;
}

interface CardProps {
  readonly title: string;
  readonly aside?: ComponentChildren;
  readonly kind?: string;
}

/** Heading of a page: the title of the window, and where the focus goes when the page has changed. */
export function Heading({ title, children }: Children & { readonly title: string }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · webhooks`;
  }, [title]);
  useEffect(() => heading.current?.focus({ preventScroll: true }), []);
  return html`<div class="heading"><h1 tabindex="-1" ref=${heading}>${title}</h1>${children}</div>`;
}

/** What was loaded; until then that it is, or why it is not. */
export function Shown<T>({ loaded, children, rows = 3 }: ShownProps<T>) {
  const { data, refused, again } = loaded;
  if (data !== undefined) {
    return html`${refused && html`<${Failure} refused=${refused} again=${again} isOld />`}${children(data)}`;
  }
  if (refused) return html`<${Failure} refused=${refused} again=${again} />`;
  return html`<div class="loading" role="status">
    <span class="unseen">Loading…</span>
    ${Array.from({ length: rows }, (_, n) => html`<span class="bone" key=${n}></span>`)}
  </div>`;
}

interface ShownProps<T> {
  readonly loaded: Loaded<T>;
  readonly children: (data: T) => ComponentChildren;
  /** About how long it will be. */
  readonly rows?: number;
}

export function Failure({ refused, again, isOld = false }: FailureProps) {
  return html`<div class="failure" role="alert">
    <p><strong>${refused.title}.</strong> ${refused.message}</p>
    ${isOld && html`<p class="muted">What is shown may be old.</p>`}
    <button type="button" class="small" onClick=${again}>Try again</button>
  </div>`;
}

interface FailureProps {
  readonly refused: Refused;
  readonly again: () => unknown;
  readonly isOld?: boolean;
}

export function Empty({ children }: Children) {
  return html`<div class="empty">${children}</div>`;
}

export type Tone = 'good' | 'bad' | 'warn' | 'quiet' | 'busy';
const SIGNS: Readonly<Record<Tone, string>> = { good: '✓', bad: '✕', warn: '!', quiet: '–', busy: '↻' };

/** A state, in colour, sign and word: none of them is needed to tell it. */
export function Badge({ tone, children }: Children & { readonly tone: Tone }) {
  return html`<span class=${`badge ${tone}`}><span class="sign" aria-hidden="true">${SIGNS[tone]}</span><span>${children}</span></span>`;
}

/** A time, as so long ago; the time itself where one points at it. */
export function When({ at }: { readonly at: string }) {
  const nowMs = useNow(10_000);
  const atMs = Date.parse(at);
  return html`<time datetime=${at} title=${dateAndClock(atMs)}>${ago(atMs, nowMs)}</time>`;
}

/** What is left until something. */
export function Countdown({ at }: { readonly at: string }) {
  const nowMs = useNow(1_000);
  const leftMs = Date.parse(at) - nowMs;
  const left = leftMs > 0 ? html`in <span class="digits">${countdown(leftMs)}</span>` : 'now';
  return html`<time datetime=${at} title=${dateAndClock(Date.parse(at))}>${left}</time>`;
}

export function Copy({ text, what }: { readonly text: string; readonly what: string }) {
  const doing = useDoing();
  const copy = () => doing(`${what} copied`, () => navigator.clipboard.writeText(text));
  return html`<button type="button" class="small quiet" onClick=${copy} aria-label=${`Copy ${what.toLowerCase()}`}>Copy</button>`;
}

/** A key or secret: hidden until somebody asks, since others may look over their shoulder. */
export function Secret({ text, what }: { readonly text: string; readonly what: string }) {
  const [isShown, setShown] = useState(false);
  const hidden = `${text.slice(0, text.indexOf('_') + 1)}${'•'.repeat(12)}`;
  return html`<span class="secret">
    <code>${isShown ? text : hidden}</code>
    <button type="button" class="small quiet" aria-expanded=${isShown} aria-label=${`${isShown ? 'Hide' : 'Show'} ${what.toLowerCase()}`}
      onClick=${() => setShown(!isShown)}>${isShown ? 'Hide' : 'Show'}</button>
    <${Copy} text=${text} what=${what} />
  </span>`;
}

/** A button that asks once more what is meant. */
export function Confirmed({ label, question, children, act, kind = 'small' }: Children & ConfirmedProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  const confirm = () => {
    dialog.current?.close();
    act();
  };
  return html`<button type="button" class=${kind} onClick=${() => dialog.current?.showModal()}>${label}</button>
    <dialog ref=${dialog} aria-labelledby=${id}>
      <h2 id=${id}>${question}</h2>
      ${children}
      <div class="actions">
        <button type="button" onClick=${() => dialog.current?.close()}>Cancel</button>
        <button type="button" class="primary" onClick=${confirm}>${label}</button>
      </div>
    </dialog>`;
}

interface ConfirmedProps {
  readonly label: string;
  readonly question: string;
  readonly act: () => unknown;
  readonly kind?: string;
}

/** A field of a form, with its label, and what is wrong with it. */
export function Field({ label, hint, error, children }: Children & FieldProps) {
  return html`<label class="field"><span>${label}${hint && html` <small>${hint}</small>`}</span>${children}
    ${error && html`<em role="alert">${error}</em>`}</label>`;
}

interface FieldProps {
  readonly label: string;
  readonly hint?: string;
  readonly error?: string | undefined;
}

/** Names and what they stand for. */
export function Facts({ children }: Children) {
  return html`<dl class="facts">${children}</dl>`;
}

export function Fact({ name, children }: Children & { readonly name: string }) {
  return html`<div><dt>${name}</dt><dd>${children}</dd></div>`;
}

/** One of a few ways to look at something. */
export function Choice<T extends string>({ label, options, chosen, choose }: ChoiceProps<T>) {
  return html`<div class="choice" role="group" aria-label=${label}>
    ${Object.entries<string>(options).map(
      ([value, text]) =>
        html`<button type="button" key=${value} aria-pressed=${value === chosen} onClick=${() => choose(value as T)}>${text}</button>`,
    )}
  </div>`;
}

interface ChoiceProps<T extends string> {
  readonly label: string;
  readonly options: Readonly<Record<T, string>>;
  readonly chosen: T;
  readonly choose: (value: T) => void;
}

export function Crumbs({ children }: Children) {
  return html`<nav class="crumbs" aria-label="Where this is">${children}</nav>`;
}
