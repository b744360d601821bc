import type { Channel } from './answers.ts';
import { textsIn, useForm } from './form.ts';
import { html } from './html.ts';
import { Field } from './parts.ts';
import { path } from './place.ts';
import { useSignedIn } from './session.ts';

interface ChannelFormProps {
  readonly channel: Channel;
  readonly sent: () => unknown;
}

/** Changes a channel's settings. */
export function ChannelForm({ channel, sent }: ChannelFormProps) {
  const { api } = useSignedIn();
  const { errors, submit } = useForm({
    send: (form) => api.put(path.channel(String(channel.id)), changesIn(form)),
    said: 'Saved',
    sent,
  });
  return html`<form onSubmit=${submit}>
    <${Field} label="Name" error=${errors.name}>
      <input name="name" required autocomplete="off" defaultValue=${channel.name} />
    <//>
    <${Field} label="Description" hint="optional" error=${errors.description}>
      <textarea name="description" rows="3" defaultValue=${channel.description ?? ''}></textarea>
    <//>
    <${Field} label="E-mail" hint="optional" error=${errors.email}>
      <input name="email" type="email" autocomplete="off" defaultValue=${channel.email ?? ''} />
    <//>
    <label class="check"><input name="public" type="checkbox" defaultChecked=${channel.public} /> can be read without a key</label>
    <button type="submit">Save</button>
  </form>`;
}

/** Null where there is to be none. */
function changesIn(form: HTMLFormElement) {
  const { name, description, email, public: isPublic } = textsIn(form);
  return { name, description: description || null, email: email || null, public: isPublic !== undefined };
}
