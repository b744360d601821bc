import { readFileSync } from 'node:fs';
import { type Metadata, status } from '@grpc/grpc-js';
import { RpcError } from './errors.ts';

/** What gossip tells of a member. */
export interface Member {
  readonly address: string;
  readonly port: number;
  readonly state: 'leader' | 'follower';
  readonly isAlive: boolean;
}

/** Who the members are right now. */
export type Cluster = () => readonly Member[];

/** The members that a file names, a JSON array of them. Read anew each time: whoever writes it decides who leads. */
export function clusterIn(file: string): Cluster {
  return () => JSON.parse(readFileSync(file, 'utf8'));
}

/** What a call tells of itself. */
export interface Called {
  readonly metadata: Metadata;
  getHost(): string;
}

/** The address and port by which a call has reached us. */
export function endPointOf(call: Pick<Called, 'getHost'>): Pick<Member, 'address' | 'port'> {
  const { hostname, port } = new URL(`http://${call.getHost()}`);
  return { address: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 80) };
}

/** The error for a call that only the leader may answer, where that is another member; undefined where we may. */
export function notLeading(cluster: Cluster | undefined, call: Called): RpcError | undefined {
  if (!cluster || call.metadata.get('requires-leader')[0] !== 'true') return undefined;
  const leader = cluster().find(({ state, isAlive }) => state === 'leader' && isAlive);
  if (!leader) return new RpcError(status.UNKNOWN, 'No leader info available in response');
  const called = endPointOf(call);
  if (leader.address === called.address && leader.port === called.port) return undefined;
  return new RpcError(status.NOT_FOUND, 'Leader info available', {
    exception: 'not-leader',
    'leader-endpoint-host': leader.address,
    'leader-endpoint-port': String(leader.port),
  });
}
