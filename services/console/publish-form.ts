import { useState } from 'preact/hooks';
import type { Event as Published } from './answers.ts';
import { Refused } from './api.ts';
import { html } from './html.ts';
import { Card, Field } from './parts.ts';
import { path } from './place.ts';
import { useSignedIn } from './session.ts';

/** Publishes an event to try a channel out. */
export function PublishForm({ channel }: { readonly channel: string }) {
  const { api, say } = useSignedIn();
  const [name, setName] = useState('test.event');
  const [reference, setReference] = useState('');
  const [data, setData] = useState('{\n  "hello": "world"\n}');
  const [errors, setErrors] = useState<Readonly<Record<string, string>>>({});
  const [isBusy, setBusy] = useState(false);

  async function submit(event: Event) {
    event.preventDefault();
    const read = objectIn(data);
    if (read === undefined) return setErrors({ data: 'must be a JSON object, such as {"hello": "world"}' });
    setBusy(true);
    setErrors({});
    try {
      const fields = { event_name: name, data: read, ...(reference && { ext_ref_code: reference }) };
      const { id } = await api.post<Published>(path.events(channel), fields);
      say(`Published as ${id}`);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      setErrors(Object.fromEntries(error.errors.map(({ field, message }) => [field.split('.')[0], message])));
      say(error.message, 'bad');
    } finally {
      setBusy(false);
    }
  }
  const typed = (take: (text: string) => void) => (event: InputEvent) => take((event.target as HTMLInputElement).value);

  return html`<${Card} title="Publish a test event" kind="publish">
    <details>
      <summary>Event name, reference and data</summary>
      <form onSubmit=${submit} id="publish">
        <div class="pair">
          <${Field} label="Event name" error=${errors.event_name}>
            <input required value=${name} onInput=${typed(setName)} spellcheck=${false} />
          <//>
          <${Field} label="Reference" hint="ext_ref_code, optional" error=${errors.ext_ref_code}>
            <input value=${reference} onInput=${typed(setReference)} />
          <//>
        </div>
        <${Field} label="Data" hint="JSON" error=${errors.data}>
          <textarea rows="4" spellcheck=${false} value=${data} onInput=${typed(setData)}></textarea>
        <//>
      </form>
    </details>
    <p class="actions"><button type="submit" form="publish" class="primary" disabled=${isBusy}>Publish ${name || 'it'}</button>
      <span class="muted">It goes to every webhook that asks for it.</span></p>
  <//>`;
}

function objectIn(text: string): object | undefined {
  try {
    const read = JSON.parse(text === '' ? '{}' : text);
    return typeof read === 'object' && read !== null && !Array.isArray(read) ? read : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
