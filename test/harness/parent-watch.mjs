// Loaded before a bundle under test: ends it when the process that started it is gone, whatever it is waiting for.
// The parent holds the other end of this pipe and writes nothing to it.
import { Socket } from 'node:net';

const parent = new Socket({ fd: 3, readable: true, writable: false });
parent.on('close', () => process.kill(process.pid, 'SIGKILL'));
parent.on('error', () => undefined);
parent.resume();
parent.unref();
