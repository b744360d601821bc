import { type handleUnaryCall, status } from '@grpc/grpc-js';
import type { ExpectedRevision, Outcome } from '../store/expected-revision.ts';
import { isMetastream } from '../store/heads.ts';
import type { Store } from '../store/store.ts';
import type { Writes } from '../store/writes.ts';
import type { AppendOptions } from '../wire/append-request.ts';
import { deleted } from '../wire/append-response.ts';
import { badStreamName, RpcError, refusal, toRpcError } from './errors.ts';

/** Delete and Tombstone: the same question and the same answers. */
export function deleteStream(
  store: Store,
  remove: (writes: Writes, stream: string, expected: ExpectedRevision) => Outcome,
): handleUnaryCall<AppendOptions, Buffer> {
  return (call, callback) => {
    const { stream, expected } = call.request;
    const bad = badStreamName(stream);
    if (bad) return callback(new RpcError(status.INVALID_ARGUMENT, bad));
    // Its last revision is taken then: the next metadata would have one that no number can hold.
    if (isMetastream(stream)) return callback(new RpcError(status.INVALID_ARGUMENT, 'Metadata cannot be deleted.'));
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
