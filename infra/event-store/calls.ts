import { randomUUID } from 'node:crypto';
import type { EventStoreDBClient } from '@eventstore/db-client';
import streamsGrpc from '@eventstore/db-client/generated/streams_grpc_pb.js';
import type streams from '@eventstore/db-client/generated/streams_pb.js';
import {
  type CallOptions,
  type ClientDuplexStream,
  type ClientReadableStream,
  type Client as GrpcClient,
  type Metadata,
  makeClientConstructor,
} from '@grpc/grpc-js';
import { AppendRefused, WrongRevision } from './errors.ts';
import { appendRequest, type Expected, type NewEvent } from './wire/append-request.ts';
import { type Appended, readAppendResponse } from './wire/append-response.ts';

export type ReadCall = ClientReadableStream<Buffer>;
type AppendCall = ClientDuplexStream<Buffer, Buffer>;

interface HotClient extends GrpcClient {
  read(request: streams.ReadReq, metadata: Metadata, options: CallOptions): ReadCall;
  batchAppend(metadata: Metadata, options: CallOptions): AppendCall;
}

/** What the client keeps for those who derive from it: its connection, which finds the leader and is made anew where it breaks. */
interface Connection {
  GRPCStreamCreator<T>(
    client: unknown,
    name: string,
    create: (client: HotClient) => T,
    cache?: WeakMap<HotClient, T>,
  ): () => Promise<T>;
  callArguments(options: object, callOptions: CallOptions): [Metadata, CallOptions];
}

const asIs = (message: Buffer): Buffer => message;

/** The client's own definitions, with our encoding in place of the generated one where every event passes. */
const { StreamsService: generated } = streamsGrpc;
const HotClient = makeClientConstructor(
  {
    read: { ...generated.read, responseDeserialize: asIs },
    batchAppend: { ...generated.batchAppend, requestSerialize: asIs, responseDeserialize: asIs },
  },
  'event_store.client.streams.Streams',
);

/**
 * What the store is told of an append's deadline, in ms: it takes a point in time and holds it against its own clock, so one that is only seconds ahead of
 * ours would refuse everything as too late. Our own deadline is kept in the client.
 */
const STORE_DEADLINE_MS = 24 * 3_600_000;

/** Of a cluster, its leader alone: what another member answers may lag behind what we have appended. */
const AT_LEADER = { requiresLeader: true };

interface Waiting {
  readonly stream: string;
  readonly resolve: (appended: Appended) => void;
  readonly reject: (error: unknown) => void;
}

export type Calls = ReturnType<typeof openCalls>;

/** Appends and reads over the client's connection, each encoded and decoded by us: the client's own way takes several times the CPU. */
export function openCalls(client: EventStoreDBClient) {
  const connection = client as unknown as Connection;
  const appendCalls = new WeakMap<HotClient, AppendCall>();
  const waiting = new WeakMap<AppendCall, Map<string, Waiting>>();
  const callArguments = () => connection.callArguments(AT_LEADER, { deadline: Number.POSITIVE_INFINITY });

  /** One call carries all appends of a connection. */
  const appendCall = connection.GRPCStreamCreator(
    HotClient,
    'append',
    (hot) => {
      const call = hot.batchAppend(...callArguments());
      const ours = new Map<string, Waiting>();
      const fail = (error: Error) => {
        appendCalls.delete(hot);
        for (const { reject } of ours.values()) reject(error);
        ours.clear();
      };
      call.on('data', (message: Buffer) => settle(ours, message));
      call.on('error', fail);
      call.on('close', () => fail(new Error('the store ended the call')));
      waiting.set(call, ours);
      return call;
    },
    appendCalls,
  );

  return {
    /**
     * Appends events as one write: all or none.
     * @throws WrongRevision, AppendRefused; other errors where the store does not take it
     */
    async append(stream: string, events: readonly NewEvent[], expected: Expected): Promise<Appended> {
      const call = await appendCall();
      const correlationId = randomUUID();
      const deadlineMs = Date.now() + STORE_DEADLINE_MS;
      return new Promise((resolve, reject) => {
        waiting.get(call)?.set(correlationId, { stream, resolve, reject });
        call.write(appendRequest({ correlationId, stream, expected, events, deadlineMs }));
      });
    },

    /** Answers as they come, each a message of `readReadResponse`. Who leaves before the end has to `cancel` the call. */
    read: (request: streams.ReadReq): Promise<ReadCall> =>
      connection.GRPCStreamCreator(HotClient, 'read', (hot) => hot.read(request, ...callArguments()))(),
  };
}

/** What is refused for what it is, however often it is repeated. */
const OUR_FAULTS = new Set(['MaximumAppendSizeExceeded', 'BadRequest', 'InvalidTransaction']);

function settle(waiting: Map<string, Waiting>, message: Buffer): void {
  const { correlationId, result } = readAppendResponse(message);
  const append = waiting.get(correlationId);
  if (!append) return;
  waiting.delete(correlationId);
  if (!('failure' in result)) append.resolve(result);
  else if (result.failure === 'WrongExpectedVersion') append.reject(new WrongRevision(append.stream, result.actual));
  else if (OUR_FAULTS.has(result.failure)) append.reject(new AppendRefused(append.stream, result));
  else append.reject(new Error(`${result.failure}: ${result.message}`));
}
