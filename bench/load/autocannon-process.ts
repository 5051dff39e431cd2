import { createRequire } from 'node:module';

interface Result {
  readonly requests: { readonly total: number };
  readonly duration: number;
}
const autocannon = createRequire(import.meta.url)('autocannon') as (options: object) => Promise<Result>;

const before = process.cpuUsage();
const { requests, duration } = await autocannon(JSON.parse(process.argv[2] ?? '{}') as object);
const { user, system } = process.cpuUsage(before);
console.log(
  JSON.stringify({
    answers: requests.total,
    rate: requests.total / duration,
    microseconds: (user + system) / requests.total,
  }),
);
