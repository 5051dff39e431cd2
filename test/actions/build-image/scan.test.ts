import { describe, expect, test } from '@jest/globals';
import { scan } from '../../../actions/build-image/src/execute/scan.ts';
import type { ScanWish } from '../../../actions/build-image/src/inputs.ts';
import { instant, minutes } from '../../../src/domain/duration.ts';
import { CloudFailure } from '../../../src/domain/retry-policy.ts';
import type { ScanState } from '../../../src/ports/image-scanner.ts';
import { fakeClock } from '../../fakes/clock.ts';
import { recordingLog } from '../../fakes/log.ts';

const WISH: ScanWish = {
  by: 'ecr',
  max: { critical: 0, high: 0 },
  counted: 'all',
  timeout: minutes(10),
  onError: 'fail',
};
const PUSHED = instant(Date.UTC(2026, 0, 1));
const HIGH = { id: 'CVE-1', package: 'ssl', version: '3', severity: 'high', fix: 'available' } as const;
const found = (findings: readonly (typeof HIGH)[], completedAt = instant(PUSHED + 5_000)): ScanState => ({
  kind: 'findings',
  findings,
  completedAt,
  pushedAt: PUSHED,
});
const pending: ScanState = { kind: 'pending', why: 'IN_PROGRESS' };
const { signal } = new AbortController();

/** What a scanner says, look by look; the last word is repeated. */
async function scanned(
  states: readonly (ScanState | Error)[],
  answers: 'eventual' | 'final' = 'eventual',
  platforms = ['linux/amd64'],
) {
  const clock = fakeClock({ mode: 'automatic' });
  const looks: string[] = [];
  const scanner = {
    name: 'ECR',
    answers,
    look({ digest }: { readonly digest: string }) {
      const mine = looks.filter((each) => each === digest).length;
      looks.push(digest);
      const state = states[Math.min(mine, states.length - 1)] ?? pending;
      return state instanceof Error ? Promise.reject(state) : Promise.resolve(state);
    },
  };
  const image = {
    repository: { host: 'h', path: 'team/web' },
    platforms: platforms.map((platform, index) => ({ platform, digest: `sha256:${index}`, size: 1 })),
  };
  const result = await scan(
    image,
    { wish: WISH, ports: { scanner, clock, log: recordingLog(), ignore: [], production: undefined } },
    signal,
  );
  return { result, looks };
}

describe('the scan gate', () => {
  test.each<[name: string, states: readonly (ScanState | Error)[], kind: string, looks: number]>([
    ['two equal looks without findings', [found([])], 'pass', 2],
    ['empty findings that fill up seconds later', [found([]), found([HIGH])], 'fail', 3],
    ['a scan that takes its time', [pending, pending, found([HIGH])], 'fail', 4],
    ['a scan older than the push, then the right one', [found([], instant(PUSHED - 1)), found([])], 'pass', 3],
    ['a scanner that is throttled for a while', [new CloudFailure('throttled', { what: 'x' }), found([])], 'pass', 3],
  ])('judges after %s', async (_name, states, kind, looks) => {
    const run = await scanned(states);
    expect({ kind: run.result.kind, looks: run.looks.length }).toEqual({ kind, looks });
  });

  test.each<[name: string, state: ScanState | Error, why: RegExp]>([
    ['never comes', pending, /IN_PROGRESS when the time was up/],
    ['is of an earlier push', found([], instant(PUSHED - 1)), /older than the image when the time was up/],
    ['cannot be had', { kind: 'failed', why: 'UNSUPPORTED_IMAGE' }, /UNSUPPORTED_IMAGE/],
    [
      'may not be read',
      new CloudFailure('access-denied', { what: 'Could not read the findings' }),
      /Could not read the findings/,
    ],
  ])('knows nothing, and so passes nothing, when the verdict %s', async (_name, state, why) => {
    const { result } = await scanned([state]);
    expect(result).toMatchObject({ kind: 'unknown', why: expect.stringMatching(why) });
  });

  test('looks at every platform by its digest, once where one look is the verdict', async () => {
    const { looks } = await scanned([found([])], 'final', ['linux/amd64', 'linux/arm64']);
    expect(looks).toEqual(['sha256:0', 'sha256:1']);
  });
});
