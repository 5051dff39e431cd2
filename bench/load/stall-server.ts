import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Freezes the whole process for 500 ms in every 5 s; tells when it did, and when it had answered each request. */
const stalls: { readonly from: number; readonly to: number }[] = [];
const cell = new Int32Array(new SharedArrayBuffer(4));
const answered: number[] = [];
const server = createServer((_request, response) => {
  response.end('ok');
  answered.push(performance.timeOrigin + performance.now());
});
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
setInterval(() => {
  const from = Date.now();
  Atomics.wait(cell, 0, 0, 500);
  stalls.push({ from, to: Date.now() });
}, 5_000);
process.on('message', () => process.send?.({ stalls, answered }));
process.on('disconnect', () => process.exit(0));
