// A thread of its own: the compiler that strips types takes 40 MB, which are free again when it has ended.
import { parentPort } from 'node:worker_threads';
import { packConsole } from './assets.ts';

parentPort?.postMessage(await packConsole());
