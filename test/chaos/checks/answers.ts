import type { History } from '../history.ts';
import { type Violation, violation } from './violation.ts';

/**
 * Whatever is wrong inside, a client is told "not now" (503), or nothing where the gateway itself is away; a 500 never, nor that a key is wrong. A channel that is
 * being deleted is not found.
 */
export function checkAnswers({ publishes, changes }: Pick<History, 'publishes' | 'changes'>): Violation[] {
  const deletedFromMs = new Map(
    changes.filter(({ what }) => what === 'ChannelDeleted').map(({ id, sentMs }) => [id, sentMs]),
  );
  const isMeant = ({ status, channelId, endedMs }: History['publishes'][number]) =>
    [0, 201, 503].includes(status) || (status === 404 && endedMs >= (deletedFromMs.get(channelId) ?? Infinity));
  return [
    ...publishes.filter((one) => !isMeant(one)),
    ...changes.filter(({ status }) => ![0, 200, 201, 404, 503].includes(status)),
  ].map((one) => violation('answer that nobody should get', one));
}
