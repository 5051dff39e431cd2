import { createRequire } from 'node:module';
import type { EventEmitter } from 'node:events';
import { WARM_UP, measured } from './generator-process.ts';

const load = JSON.parse(process.argv[2] ?? '{}') as { readonly seconds: number };
const autocannon = createRequire(import.meta.url)('autocannon') as (options: object, done: () => void) => EventEmitter;

let answers = 0;
const running = autocannon({ ...load, duration: WARM_UP + load.seconds + 5 }, () => undefined);
running.on('response', () => (answers += 1));
await measured(load.seconds, () => answers);
process.exit(0);
