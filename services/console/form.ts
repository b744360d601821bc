import { useState } from 'preact/hooks';
import { Refused } from './api.ts';
import { useSignedIn } from './session.ts';

interface FormProps {
  /** Asks the API for what the form says. */
  readonly send: (form: HTMLFormElement) => Promise<unknown>;
  /** What is said when that went well. */
  readonly said: string;
  readonly sent: (form: HTMLFormElement) => unknown;
}

/** Sends a form, and tells how it went: in the corner, and at each field that was refused. */
export function useForm({ send, said, sent }: FormProps) {
  const { say } = useSignedIn();
  const [errors, setErrors] = useState<Readonly<Record<string, string>>>({});
  async function submit(event: SubmitEvent) {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    try {
      await send(form);
      setErrors({});
      say(said);
      sent(form);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      setErrors(Object.fromEntries(error.errors.map(({ field, message }) => [field.split('[')[0], message])));
      say(error.message, 'bad');
    }
  }
  return { errors, submit };
}

/** What is typed into each field, by its name. */
export function textsIn(form: HTMLFormElement): Readonly<Record<string, string>> {
  return Object.fromEntries(new FormData(form)) as Record<string, string>;
}
