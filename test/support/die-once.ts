import { existsSync, writeFileSync } from 'node:fs';
import http2, { type ClientHttp2Session } from 'node:http2';

/**
 * Loaded before a process's own code (`--import`): kills it as kill -9 does, just before it sends the event store anything that names DIE_BEFORE. Once: the
 * file DIE_ONCE tells that it has happened.
 */
const { DIE_BEFORE: name = '', DIE_ONCE: file = '' } = process.env;
const connect = http2.connect;

http2.connect = ((...args: Parameters<typeof connect>): ClientHttp2Session => {
  const session = connect(...args);
  const request = session.request.bind(session);
  session.request = (...of) => {
    const stream = request(...of);
    const write = stream.write.bind(stream) as (...args: unknown[]) => boolean;
    stream.write = (chunk: Buffer, ...more: unknown[]) => {
      if (name !== '' && Buffer.from(chunk).includes(name) && !existsSync(file)) {
        writeFileSync(file, '');
        process.kill(process.pid, 'SIGKILL');
      }
      return write(chunk, ...more);
    };
    return stream;
  };
  return session;
}) as typeof connect;
