import features from '@eventstore/db-client/generated/serverfeatures_pb.js';
import type shared from '@eventstore/db-client/generated/shared_pb.js';
import type { handleUnaryCall } from '@grpc/grpc-js';

/** The EventStoreDB whose behaviour this server has. Clients choose their RPCs by it. */
const VERSION = '23.10.0';

const STREAMS = 'event_store.client.streams.streams';

const METHODS = [
  { name: 'append', features: [] },
  { name: 'batchappend', features: ['deadline_duration'] },
  { name: 'read', features: ['position', 'events'] },
  { name: 'delete', features: [] },
  { name: 'tombstone', features: [] },
];

export const getSupportedMethods: handleUnaryCall<shared.Empty, features.SupportedMethods> = (_call, callback) => {
  const answer = new features.SupportedMethods();
  answer.setEventStoreServerVersion(VERSION);
  for (const { name, features: supported } of METHODS) {
    const method = new features.SupportedMethod();
    method.setMethodName(name);
    method.setServiceName(STREAMS);
    method.setFeaturesList(supported);
    answer.addMethods(method);
  }
  callback(null, answer);
};
