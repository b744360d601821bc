import gossipGrpc from '@eventstore/db-client/generated/gossip_grpc_pb.js';
import featuresGrpc from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import streamsGrpc from '@eventstore/db-client/generated/streams_grpc_pb.js';
import type { Server } from '@grpc/grpc-js';
import type { Store } from '../store/store.ts';
import { readAppendRequest, readBatchAppendRequest, readDeleteRequest } from '../wire/append-request.ts';
import { readReadMessage } from '../wire/read-request.ts';
import { append } from './append.ts';
import { batchAppend } from './batch-append.ts';
import { type Called, type Cluster, notLeading } from './cluster.ts';
import { deleteStream } from './delete.ts';
import type { RpcError } from './errors.ts';
import { readGossip } from './gossip.ts';
import { HOLD_FILE_SERVICE, holdFile } from './hold-file.ts';
import { read } from './read.ts';
import type { RunningCalls } from './running-calls.ts';
import { getSupportedMethods } from './server-features.ts';

/** For answers that are encoded already. */
const responseSerialize = (message: Buffer): Buffer => message;

/** What is empty needs no decoding, whatever is sent in its place. */
const requestDeserialize = () => new shared.Empty();

/** The client's own definitions, with our encoding in place of the generated one: for what others send, and where every event passes. */
const { StreamsService: generated } = streamsGrpc;
const STREAMS = {
  read: { ...generated.read, requestDeserialize: readReadMessage, responseSerialize },
  append: { ...generated.append, requestDeserialize: readAppendRequest, responseSerialize },
  batchAppend: { ...generated.batchAppend, requestDeserialize: readBatchAppendRequest, responseSerialize },
  delete: { ...generated.delete, requestDeserialize: readDeleteRequest, responseSerialize },
  tombstone: { ...generated.tombstone, requestDeserialize: readDeleteRequest, responseSerialize },
};
const { ServerFeaturesService: features } = featuresGrpc;
const FEATURES = { getSupportedMethods: { ...features.getSupportedMethods, requestDeserialize } };
const GOSSIP = { read: { ...gossipGrpc.GossipService.read, requestDeserialize } };

export interface ServicesOptions {
  readonly store: Store;
  readonly calls: RunningCalls;
  readonly maxAppendSize: number;
  /** Absent: this server is alone. */
  readonly cluster: Cluster | undefined;
}

/** With one of our own, for backups. All other services answer UNIMPLEMENTED, which is what gRPC does with unknown methods. */
export function addServices(server: Server, { store, calls, maxAppendSize, cluster }: ServicesOptions): void {
  const remove = (of: Parameters<typeof deleteStream>[1]) => leaderFirst(cluster, deleteStream(store, of));
  server.addService(STREAMS, {
    read: leaderFirst(cluster, read(store, calls)),
    append: leaderFirst(cluster, append(store, calls, maxAppendSize)),
    batchAppend: leaderFirst(cluster, batchAppend(store, calls, maxAppendSize, cluster)),
    delete: remove((writes, stream, expected) => writes.softDelete(stream, expected)),
    tombstone: remove((writes, stream, expected) => writes.tombstone(stream, expected)),
  });
  server.addService(FEATURES, { getSupportedMethods });
  server.addService(HOLD_FILE_SERVICE, { holdFile: holdFile(store, calls) });
  server.addService(GOSSIP, { read: readGossip(cluster) });
}

interface Refusable extends Called {
  emit(event: 'error', error: RpcError): boolean;
}

/** Refuses a call that is the leader's to answer where that is another member. */
function leaderFirst<C extends Refusable, R extends [callback?: (error: RpcError) => void]>(
  cluster: Cluster | undefined,
  handle: (call: C, ...rest: R) => void,
) {
  return (call: C, ...rest: R): void => {
    const refused = notLeading(cluster, call);
    const [callback] = rest;
    if (!refused) handle(call, ...rest);
    else if (callback) callback(refused);
    else call.emit('error', refused);
  };
}
