import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** How often the server is asked, and how long it may take to answer, in ms. */
const TIMES = { askMs: 2_000, patienceMs: 5_000 };
/** So many questions in a row without a good answer are no hiccup. */
const BAD_ANSWERS = 3;

/** What a client sends to ask JetStream how it is; it answers to the subject that it is given. */
const QUESTION = [
  'CONNECT {"verbose":false,"pedantic":false,"lang":"probe","version":"1","protocol":1}',
  'SUB probe 1',
  'PUB $JS.API.INFO probe 0',
  '',
  '',
].join('\r\n');
const GOOD_ANSWER = /\r\nMSG probe 1 \d+\r\n(?=.*account_info_response)(?!.*"error":)/s;

/**
 * Resolves once the server's JetStream has stopped answering although the server runs: after a full disk 2.9 may hang for good, deaf even to SIGTERM, or switch
 * JetStream off until it is started again. Rejects when `signal` aborts.
 */
export async function whenSick(port: number, signal: AbortSignal, { askMs, patienceMs } = TIMES): Promise<void> {
  for (let bad = 0; bad < BAD_ANSWERS; ) {
    await delay(askMs, undefined, { signal });
    bad = (await isWell(port, patienceMs)) ? 0 : bad + 1;
  }
  signal.throwIfAborted();
}

function isWell(port: number, patienceMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(QUESTION));
    const late = setTimeout(() => socket.destroy(), patienceMs);
    socket.setEncoding('utf8');
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(late);
      resolve(GOOD_ANSWER.test(text));
    });
    socket.on('data', (part) => {
      text += part;
      if (/\r\nH?MSG probe .*\r\n.*\r\n/s.test(text)) socket.destroy();
    });
  });
}
