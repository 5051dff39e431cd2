import { expect, test } from '@jest/globals';
import { minutes } from '../../../src/domain/duration.ts';
import { parsePolicy } from '../../../src/domain/policy/parse-policy.ts';
import { UNJUDGED } from '../../../src/domain/policy/policy.ts';
import { judgeSteady } from '../../../src/engine/checks/judge-steady.ts';
import type { Measurement } from '../../../src/ports/metric-provider.ts';
import { recordingLog } from '../../fakes/log.ts';
import { fakeMetric } from '../../fakes/metric-provider.ts';
import { steppingClock } from '../ecs-rollout/stepping-clock.ts';

async function judged(answers: (look: number) => Measurement, more: Readonly<Record<string, unknown>> = {}) {
  const parsed = parsePolicy({ rules: ['error-rate > 5%', 'health fails 3 in a row'], ...more });
  const policy = parsed.ok ? parsed.value : UNJUDGED;
  const clock = steppingClock();
  const start = clock.now();
  let stopped = false;
  // A rolling update has no stable to look at, as the probe says it.
  const metric = fakeMetric(({ arm }) =>
    arm === 'stable' ? { kind: 'no-data' } : answers(Math.round((clock.now() - start) / policy.interval)),
  );
  const healthy = fakeMetric(() => ({ kind: 'value', value: 1, samples: 1 }));
  const run = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve) =>
      signal.addEventListener('abort', () => {
        stopped = true;
        resolve();
      }),
    );
  const metrics = { providers: { 'error-rate': metric, health: healthy }, run };
  const rules = { policy, length: minutes(2), metrics };
  const log = recordingLog();
  const verification = await judgeSteady(rules, { clock, log }, new AbortController().signal);
  return { lines: log.lines, verification, took: clock.now() - start, stopped, rules: policy.rules.length };
}

const value = (share: number): Measurement => ({ kind: 'value', value: share, samples: 500 });

test('what stays within its rules is good after the whole time, and the sources are stopped', async () => {
  const { verification, took, stopped, rules, lines } = await judged(() => value(0.01));
  expect(verification).toEqual({ kind: 'good' });
  expect(lines.join('\n')).toContain('Rule error-rate > 5%: 1 % (n=500)');
  expect(lines.join('\n')).toContain('Rule health fails 3 in a row: good');
  expect([rules, took, stopped]).toEqual([2, 120_000, true]);
});

test('a rule that fails ends it at once, with the numbers', async () => {
  const { verification, took, stopped } = await judged((look) => value(look >= 3 ? 0.5 : 0));
  expect(verification).toMatchObject({
    kind: 'bad',
    reason: expect.stringMatching(/^a rule failed after the deployment: .*error-rate/),
    lines: [expect.stringContaining('Rule error-rate > 5%')],
  });
  expect(took).toBeLessThan(120_000);
  expect(stopped).toBe(true);
});

test('what cannot be measured is never good', async () => {
  const { verification } = await judged(() => ({ kind: 'unreachable', cause: new Error('refused') }));
  expect(verification).toMatchObject({ kind: 'bad' });
});
