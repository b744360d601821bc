import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EventStoreDBClient, StreamNotFoundError } from '@eventstore/db-client';
import { expect } from 'chai';
import { connectEventStore, type EventStore } from '../../../infra/event-store/client.ts';
import { StoreUnavailable } from '../../../infra/event-store/errors.ts';
import { freePort } from '../../../infra/local/free-port.ts';
import { SettingError } from '../../../infra/settings.ts';
import { type Certificates, makeCertificates } from '../../support/certificates.ts';
import { EVENT_ID, newFact, published } from '../../support/sample.ts';
import { waitFor } from '../../support/wait.ts';
import { atEnd, collect, endAll, errorOf, spawnServer, temporaryDirectory } from './support.ts';

const STREAM = 'events-1';
const LOOPBACK = '127.0.0.1';

type Cluster = Awaited<ReturnType<typeof startCluster>>;

/**
 * Three local stores that pose as the members of a cluster. They do not replicate, and nobody is elected: the test says who leads. So this is about
 * what a client does, and about nothing that a cluster keeps.
 */
async function startCluster(tls?: Certificates) {
  const file = join(temporaryDirectory(), 'cluster.json');
  const query = tls ? `tls=true&tlsCaFile=${encodeURIComponent(tls.ca)}` : 'tls=false';
  const members = await Promise.all([0, 1, 2].map(() => newMember(file, tls)));
  // A certificate's name is no address.
  const address = tls ? 'localhost' : LOOPBACK;
  const urlOf = (hosts: readonly number[], scheme = 'esdb') =>
    `${scheme}://admin:changeit@${hosts.map((host) => `${address}:${members[host]?.port}`).join()}?${query}`;

  return {
    members,
    url: urlOf([0, 1, 2]),
    urlOf,
    /** From now on gossip tells that this one leads, none where it is undefined, and that these are dead. */
    lead(leader?: number, dead: readonly number[] = []) {
      const told = members.map(({ port }, index) => ({
        ...{ address, port, isAlive: !dead.includes(index) },
        state: index === leader ? 'leader' : 'follower',
      }));
      writeFileSync(`${file}.draft`, JSON.stringify(told));
      renameSync(`${file}.draft`, file);
    },
    /** How many facts a member holds itself, whoever leads. */
    async countAt(member: number): Promise<number> {
      const client = EventStoreDBClient.connectionString(urlOf([member]));
      const events = await collect(client.readStream(STREAM)).catch(ifMissing);
      await client.dispose();
      return events.length;
    },
  };
}

async function newMember(clusterFile: string, tls?: Certificates) {
  const dataDir = temporaryDirectory();
  const port = await freePort(LOOPBACK);
  const env: Record<string, string> = { CLUSTER_FILE: clusterFile, PORT: `${port}` };
  if (tls) Object.assign(env, { TLS_CERT_FILE: tls.cert, TLS_KEY_FILE: tls.key });
  let running = await spawnServer(dataDir, env);
  return {
    port,
    async kill() {
      running.child.kill('SIGKILL');
      await running.exited;
    },
    async restart() {
      running = await spawnServer(dataDir, env);
    },
  };
}

/** Our client, closed when the test ends. */
function connected(url: string): EventStore {
  const store = connectEventStore(url, 2_000);
  atEnd(() => store.close());
  return store;
}

let appended = 0;
const append = (store: EventStore) => store.append(STREAM, [newFact(published({ id: EVENT_ID }), ++appended)], 'any');

/** As our services do it: again until it works, and meanwhile nothing but that the store is unavailable. */
function whenAppended(store: EventStore) {
  return waitFor('an append', () => append(store).catch(ifUnavailable));
}

function ifMissing(error: unknown): never[] {
  if (!(error instanceof StreamNotFoundError)) throw error;
  return [];
}

function ifUnavailable(error: unknown): undefined {
  if (!(error instanceof StoreUnavailable)) throw error;
  return undefined;
}

/** The revisions that our client's `follow` hands over, begun anew where it broke off. */
function followed(store: EventStore): number[] {
  const abort = new AbortController();
  const revisions: number[] = [];
  let after = -1;
  const follow = async () => {
    while (!abort.signal.aborted) {
      try {
        for await (const { facts, position } of store.follow({ after, signal: abort.signal })) {
          revisions.push(...facts.map(({ revision }) => revision));
          after = position;
        }
      } catch (error) {
        ifUnavailable(error);
      }
    }
  };
  const following = follow();
  atEnd(async () => {
    abort.abort();
    await following;
  });
  return revisions;
}

for (const isTls of [false, true]) {
  describe(`the event store client in a cluster${isTls ? ', over TLS' : ''}`, () => {
    let certificates: Certificates | undefined;
    let cluster: Cluster;

    before(async () => {
      certificates = isTls ? await makeCertificates() : undefined;
    });
    beforeEach(async () => {
      cluster = await startCluster(certificates);
    });
    afterEach(endAll);

    for (const scheme of ['esdb', 'esdb+discover']) {
      it(`finds the leader from ${scheme}:// and several hosts, the first of which is away`, async () => {
        cluster.lead(2, [0]);
        await cluster.members[0]?.kill();
        await append(connected(cluster.urlOf([0, 1, 2], scheme)));
        expect(await cluster.countAt(2)).to.equal(1);
      });
    }

    it('finds the leader from esdb+discover:// and the name of one that does not lead', async () => {
      cluster.lead(1);
      await append(connected(cluster.urlOf([0], 'esdb+discover')));
      expect(await cluster.countAt(1)).to.equal(1);
    });

    it('goes on at the next leader when the leader dies: appends, reads, and the log that it follows', async () => {
      // What replication would have brought it.
      cluster.lead(1);
      await append(connected(cluster.urlOf([1])));
      cluster.lead(0);
      const store = connected(cluster.url);
      const revisions = followed(store);
      await append(store);
      await waitFor('the first fact', () => revisions.length === 1);

      await cluster.members[0]?.kill();
      cluster.lead(1, [0]);
      await whenAppended(store);
      await waitFor('the second fact', () => revisions.length === 2);
      expect(revisions).to.deep.equal([0, 1]);
      expect(await store.read(STREAM)).to.have.length(2);
    });

    it('leaves a leader that steps down and lives on', async () => {
      cluster.lead(0);
      const store = connected(cluster.url);
      await append(store);
      cluster.lead(2);
      await whenAppended(store);
      expect(await waitFor('a read', () => store.read(STREAM).catch(ifUnavailable))).to.have.length(1);
      cluster.lead(0);
      expect(await waitFor('a read', () => store.read(STREAM).catch(ifUnavailable))).to.have.length(1);
      expect([await cluster.countAt(0), await cluster.countAt(1), await cluster.countAt(2)]).to.deep.equal([1, 0, 1]);
    });

    it('waits for an election', async () => {
      cluster.lead();
      const store = connected(cluster.url);
      expect(await errorOf(append(store))).to.be.instanceOf(StoreUnavailable);
      cluster.lead(1);
      await whenAppended(store);
      expect(await cluster.countAt(1)).to.equal(1);
    });

    it('appends again after a time in which no member was there', async () => {
      cluster.lead(0);
      const store = connected(cluster.url);
      await append(store);
      for (const member of cluster.members) await member.kill();
      const isUndiscovered = (error: { cause?: Error }) => /^Failed to discover/.test(error.cause?.message ?? '');
      await waitFor('the client to give up', async () => isUndiscovered(await errorOf(append(store))));
      for (const member of cluster.members) await member.restart();
      await whenAppended(store);
      expect(await store.read(STREAM)).to.have.length.of.at.least(2);
    });
  });
}

describe('the event store client over TLS', () => {
  afterEach(endAll);

  async function startTls(certificates: Certificates) {
    const env = { TLS_CERT_FILE: certificates.cert, TLS_KEY_FILE: certificates.key };
    const { port } = await spawnServer(temporaryDirectory(), env);
    return `esdb://admin:changeit@localhost:${port}`;
  }

  it('trusts the authority of tlsCaFile', async () => {
    const certificates = await makeCertificates();
    const url = await startTls(certificates);
    const store = connected(`${url}?tls=true&tlsCaFile=${certificates.ca}`);
    expect((await append(store)).revision).to.equal(0);
  });

  it('trusts no other, and speaks to nobody without TLS', async () => {
    const url = await startTls(await makeCertificates());
    const other = await makeCertificates();
    for (const query of [`tls=true&tlsCaFile=${other.ca}`, 'tls=true', 'tls=false']) {
      expect(await errorOf(append(connected(`${url}?${query}`))), query).to.be.instanceOf(StoreUnavailable);
    }
  });

  it('says in one line that a certificate file is missing', () => {
    const url = 'esdb://localhost?tls=true&tlsCaFile=/nowhere/ca.crt';
    expect(() => connectEventStore(url)).to.throw(SettingError, /^setting EVENTSTORE_URL .*file that is not there$/);
  });
});
