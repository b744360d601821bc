import type { Webhook } from './answers.ts';
import { textsIn, useForm } from './form.ts';
import { html } from './html.ts';
import { Field } from './parts.ts';

/** What people set of a webhook: null where they want it to have none. */
export interface WebhookFields {
  readonly webhook_url: string;
  readonly name: string | null;
  readonly event_names: readonly string[] | null;
}

interface WebhookFormProps {
  /** The one that is to be changed; absent: a new one. */
  readonly webhook?: Webhook;
  readonly label: string;
  readonly said: string;
  readonly send: (fields: WebhookFields) => Promise<unknown>;
  readonly sent: () => unknown;
}

export function WebhookForm({ webhook, label, said, send, sent }: WebhookFormProps) {
  const { errors, submit } = useForm({
    send: (form) => send(fieldsOf(form)),
    said,
    sent(form) {
      if (!webhook) form.reset();
      sent();
    },
  });
  return html`<form onSubmit=${submit}>
    <${Field} label="URL" error=${errors.webhook_url}>
      <input name="webhook_url" type="url" required placeholder="https://example.com/hooks" autocomplete="off"
        defaultValue=${webhook?.webhook_url ?? ''} />
    <//>
    <${Field} label="Name" hint="optional" error=${errors.name}>
      <input name="name" autocomplete="off" defaultValue=${webhook?.name ?? ''} />
    <//>
    <${Field} label="Asks for" hint="names such as order.*; empty: all" error=${errors.event_names}>
      <input name="event_names" autocomplete="off" spellcheck=${false} defaultValue=${webhook?.event_names?.join(', ') ?? ''} />
    <//>
    <button type="submit">${label}</button>
  </form>`;
}

function fieldsOf(form: HTMLFormElement): WebhookFields {
  const { name, webhook_url, event_names } = textsIn(form);
  const patterns = (event_names ?? '').split(/[\s,]+/).filter((pattern) => pattern !== '');
  return {
    webhook_url: webhook_url ?? '',
    name: name || null,
    event_names: patterns.length > 0 ? patterns : null,
  };
}
