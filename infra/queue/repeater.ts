/**
 * Repeats what was under way when a connection was lost as soon as there is another: the client forgets what it had sent or was about to send,
 * and would tell only when the time limit of the answer is up.
 */
export function createRepeater() {
  const unanswered = new Set<() => void>();
  return {
    /** The first answer to a request, however often it is sent. @throws what the last sending throws */
    untilAnswered<T>(send: () => Promise<T>): Promise<T> {
      const { promise, resolve, reject } = Promise.withResolvers<T>();
      let sendings = 0;
      const sendOnceMore = () => {
        sendings += 1;
        const sending = sendings;
        send().then(resolve, (error) => {
          if (sending === sendings) reject(error);
        });
      };
      unanswered.add(sendOnceMore);
      sendOnceMore();
      return promise.finally(() => unanswered.delete(sendOnceMore));
    },
    /** Sends all that is not answered once more. */
    repeat(): void {
      for (const sendOnceMore of [...unanswered]) sendOnceMore();
    },
  };
}
