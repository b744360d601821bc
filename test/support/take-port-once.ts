import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';

/**
 * Loaded before a process's own code (`--import`): takes the port that its gateway is about to listen on, as another program may. Once: the file TAKEN_PORT then holds the
 * port.
 */
const { TAKEN_PORT: file = '', PORT: port = '', HOST: host = '127.0.0.1' } = process.env;

if (process.argv[2] === 'gateway' && !existsSync(file)) {
  await once(createServer().listen(Number(port), host), 'listening');
  writeFileSync(file, port);
}
