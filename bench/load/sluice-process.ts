import { hdrHistograms } from '../../src/adapters/histogram/hdr.ts';
import { matchers } from '../../src/adapters/http/matchers.ts';
import { pooledProber } from '../../src/adapters/http/pooled-prober.ts';
import { systemClock } from '../../src/adapters/system/clock.ts';
import { systemRandom } from '../../src/adapters/system/random.ts';
import { systemStopwatch } from '../../src/adapters/system/stopwatch.ts';
import { parseChecks } from '../../src/domain/checks/parse.ts';
import { resolveChecks } from '../../src/domain/checks/resolve.ts';
import { timesOf } from '../../src/engine/load/recorder.ts';
import { type LoadRun, runLoad } from '../../src/engine/load/run-load.ts';
import type { ResolvedLoad } from '../../src/domain/load/load.ts';
import { WARM_UP } from './generator-process.ts';
import type { OwnLoad } from './generators.ts';

const load = JSON.parse(process.argv[2] ?? '{}') as OwnLoad;

function loadOf(seconds: number): ResolvedLoad {
  const duration = `${seconds}s`;
  const model =
    load.kind === 'closed'
      ? { closed: { concurrency: load.connections, duration } }
      : {
          phases: [{ duration, arrivals: `${load.rate}/s` }],
          ...(load.connections ? { concurrency: load.connections } : {}),
        };
  const more = { get: '/', rules: ['fail: error-rate > 1%'], 'max-requests': 100_000_000 };
  const parsed = parseChecks({ version: 1, load: [{ name: 'bench', ...model, ...more }] }, matchers);
  const document = parsed.ok ? resolveChecks(parsed.value, () => undefined) : parsed;
  const [resolved] = document.ok ? (document.value.loads ?? []) : [];
  if (resolved === undefined) throw new Error('the load of the bench cannot be read');
  return resolved;
}

const silent = { info: () => undefined, debug: () => undefined, warning: () => undefined, verbatim: () => undefined };
const prober = pooledProber();
const tools = {
  prober,
  clock: systemClock(),
  stopwatch: systemStopwatch(),
  histograms: hdrHistograms(),
  log: silent,
  random: systemRandom(),
  mask: () => undefined,
};
const target = { url: load.url.replace(/\/$/, ''), headers: {} };
const run = (seconds: number): Promise<LoadRun> =>
  runLoad({ load: loadOf(seconds), target, secrets: [] }, tools, new AbortController().signal);
await run(WARM_UP);
const before = process.cpuUsage();
const { recorder, generator, length, started } = await run(load.seconds);
const { user, system } = process.cpuUsage(before);
await prober.close();
const { requests, errors, response } = recorder.all;
const { p95, p99 } = timesOf(response);
console.log(
  JSON.stringify({
    started,
    answers: requests - errors,
    planned: generator.planned ?? requests,
    rate: (requests * 1_000) / length,
    microseconds: (user + system) / requests,
    core: (user + system) / 1_000 / length,
    lagP99: generator.lagP99,
    p95,
    p99,
  }),
);
