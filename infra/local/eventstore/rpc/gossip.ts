import { randomUUID } from 'node:crypto';
import gossip from '@eventstore/db-client/generated/gossip_pb.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import type { handleUnaryCall } from '@grpc/grpc-js';

/** A cluster of one. Its address is the one that the client called: any other might not reach us from there. */
export function readGossip(): handleUnaryCall<shared.Empty, gossip.ClusterInfo> {
  const instanceId = new shared.UUID().setString(randomUUID());
  return (call, callback) => {
    const authority = new URL(`http://${call.getHost()}`);
    const endPoint = new gossip.EndPoint();
    endPoint.setAddress(authority.hostname.replace(/^\[|\]$/g, ''));
    endPoint.setPort(Number(authority.port || 80));
    const member = new gossip.MemberInfo();
    member.setInstanceId(instanceId);
    member.setTimeStamp(`${Date.now()}0000`);
    member.setState(gossip.MemberInfo.VNodeState.LEADER);
    member.setIsAlive(true);
    member.setHttpEndPoint(endPoint);
    callback(null, new gossip.ClusterInfo().setMembersList([member]));
  };
}
