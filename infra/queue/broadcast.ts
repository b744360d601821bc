import type { NatsConnection } from 'nats';

/** What those who are connected to the same servers tell each other on a subject, as JSON. Nothing of it is kept: whoever does not listen has missed it. */
export function createBroadcast<Word>(nc: NatsConnection, subject: string) {
  return {
    /** In vain where the connection is closed or about to be. */
    say(word: Word): void {
      if (!nc.isClosed() && !nc.isDraining()) nc.publish(subject, JSON.stringify(word));
    },
    /** Calls back with each word until the returned function is called. */
    hear(heard: (word: Word) => void): () => void {
      const hearing = nc.subscribe(subject, {
        callback: (error, message) => {
          if (!error) heard(message.json<Word>());
        },
      });
      return () => hearing.unsubscribe();
    },
  };
}
