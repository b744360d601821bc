import type { RecordedEvent } from './event.ts';
import type { Store } from './store.ts';
import { firstVisible, isReadable } from './visibility.ts';

const LINK_TYPE = '$>';

export const isLink = (event: RecordedEvent): boolean => event.type === LINK_TYPE;

/** The event that a link (`<revision>@<stream>`) points to, if a read of its stream would show it. */
export function resolveLink(store: Store, link: RecordedEvent): RecordedEvent | undefined {
  const [, revision, stream] = /^(\d{1,16})@(.*)$/s.exec(Buffer.from(link.data).toString()) ?? [];
  if (revision === undefined || stream === undefined) return undefined;
  const head = store.headOf(stream);
  if (head.name === undefined || head.tombstoned) return undefined;
  if (Number(revision) < firstVisible(head) || Number(revision) > head.last) return undefined;
  const target = store.log.at(head.name, Number(revision));
  return target && isReadable(head, target) ? target : undefined;
}
