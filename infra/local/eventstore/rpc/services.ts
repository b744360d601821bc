import gossipGrpc from '@eventstore/db-client/generated/gossip_grpc_pb.js';
import featuresGrpc from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import streamsGrpc from '@eventstore/db-client/generated/streams_grpc_pb.js';
import type { Server } from '@grpc/grpc-js';
import type { Store } from '../store/store.ts';
import { readAppendRequest, readBatchAppendRequest } from '../wire/append-request.ts';
import { append } from './append.ts';
import { batchAppend } from './batch-append.ts';
import { deleteStream } from './delete.ts';
import { readGossip } from './gossip.ts';
import { HOLD_FILE_SERVICE, holdFile } from './hold-file.ts';
import { read } from './read.ts';
import type { RunningCalls } from './running-calls.ts';
import { getSupportedMethods } from './server-features.ts';

/** For answers that are encoded already. */
const responseSerialize = (message: Buffer): Buffer => message;

/** The client's own definitions, with our encoding in place of the generated one where every event passes. */
const { StreamsService: generated } = streamsGrpc;
const STREAMS = {
  read: { ...generated.read, responseSerialize },
  append: { ...generated.append, requestDeserialize: readAppendRequest, responseSerialize },
  batchAppend: { ...generated.batchAppend, requestDeserialize: readBatchAppendRequest, responseSerialize },
  delete: { ...generated.delete, responseSerialize },
  tombstone: { ...generated.tombstone, responseSerialize },
};

/** With one of our own, for backups. All other services answer UNIMPLEMENTED, which is what gRPC does with unknown methods. */
export function addServices(server: Server, store: Store, calls: RunningCalls, maxAppendSize: number): void {
  server.addService(STREAMS, {
    read: read(store, calls),
    append: append(store, calls, maxAppendSize),
    batchAppend: batchAppend(store, calls, maxAppendSize),
    delete: deleteStream(store, (writes, stream, expected) => writes.softDelete(stream, expected)),
    tombstone: deleteStream(store, (writes, stream, expected) => writes.tombstone(stream, expected)),
  });
  server.addService(featuresGrpc.ServerFeaturesService, { getSupportedMethods });
  server.addService(HOLD_FILE_SERVICE, { holdFile: holdFile(store, calls) });
  server.addService(gossipGrpc.GossipService, { read: readGossip() });
}
