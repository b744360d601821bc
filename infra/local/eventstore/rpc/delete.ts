import type streams from '@eventstore/db-client/generated/streams_pb.js';
import type { handleUnaryCall } from '@grpc/grpc-js';
import type { ExpectedRevision, Outcome } from '../store/expected-revision.ts';
import type { Store } from '../store/store.ts';
import type { Writes } from '../store/writes.ts';
import { deleted } from '../wire/append-response.ts';
import { refusal, toRpcError } from './errors.ts';
import { streamNameOf } from './read-request.ts';

type DeleteRequest = streams.DeleteReq | streams.TombstoneReq;
type DeleteOptions = NonNullable<ReturnType<DeleteRequest['getOptions']>>;

/** Delete and Tombstone: the same question and the same answers. */
export function deleteStream(
  store: Store,
  remove: (writes: Writes, stream: string, expected: ExpectedRevision) => Outcome,
): handleUnaryCall<DeleteRequest, Buffer> {
  return (call, callback) => {
    const options = call.request.getOptions();
    const expected = options ? expectedRevisionOf(options) : 'any';
    let stream: string;
    try {
      stream = streamNameOf(options?.getStreamIdentifier());
    } catch (error) {
      return callback(toRpcError(error));
    }
    store.write({
      run: (writes) => (call.cancelled ? undefined : remove(writes, stream, expected)),
      done: (outcome) => {
        if (outcome?.kind === 'written') callback(null, deleted(outcome.position));
        else if (outcome) callback(refusal(stream, expected, outcome));
      },
      fail: (error) => callback(toRpcError(error)),
    });
  };
}

function expectedRevisionOf(options: DeleteOptions): ExpectedRevision {
  if (options.hasRevision()) return Math.min(Number(options.getRevision()), Number.MAX_SAFE_INTEGER);
  if (options.hasNoStream()) return 'no_stream';
  return options.hasStreamExists() ? 'stream_exists' : 'any';
}
