import { randomUUID } from 'node:crypto';
import gossip from '@eventstore/db-client/generated/gossip_pb.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import type { handleUnaryCall } from '@grpc/grpc-js';
import { type Cluster, endPointOf, type Member } from './cluster.ts';

const { LEADER, FOLLOWER } = gossip.MemberInfo.VNodeState;

/**
 * Tells who the members are. Without a cluster, that is this one. Its address is the one that the client called: any other might not reach us from
 * there.
 */
export function readGossip(cluster: Cluster | undefined): handleUnaryCall<shared.Empty, gossip.ClusterInfo> {
  const instanceId = randomUUID();
  return (call, callback) => {
    const members = cluster?.() ?? [{ ...endPointOf(call), state: 'leader', isAlive: true } as const];
    const infos = members.map((member) => memberInfo(member, cluster ? randomUUID() : instanceId));
    callback(null, new gossip.ClusterInfo().setMembersList(infos));
  };
}

function memberInfo({ address, port, state, isAlive }: Member, instanceId: string): gossip.MemberInfo {
  const endPoint = new gossip.EndPoint();
  endPoint.setAddress(address);
  endPoint.setPort(port);
  const info = new gossip.MemberInfo();
  info.setInstanceId(new shared.UUID().setString(instanceId));
  info.setTimeStamp(`${Date.now()}0000`);
  info.setState(state === 'leader' ? LEADER : FOLLOWER);
  info.setIsAlive(isAlive);
  info.setHttpEndPoint(endPoint);
  return info;
}
