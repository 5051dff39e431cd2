import { atEndOfTurn } from '../system/timer.ts';

/** Somebody with something to write. */
export interface Sender {
  write(): void;
}

let waiting: Sender[] = [];

/**
 * What is made in one turn of the event loop leaves together at its end. Written one by one between the answers, each
 * request wakes a server that has just gone to sleep: that costs both sides more than the request (bench/load).
 */
export function leaveTogether(sender: Sender): void {
  if (waiting.length === 0) atEndOfTurn(writeAll);
  waiting.push(sender);
}

function writeAll(): void {
  const all = waiting;
  waiting = [];
  for (const sender of all) sender.write();
}
