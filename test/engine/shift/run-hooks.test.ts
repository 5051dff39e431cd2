import { describe, expect, test } from '@jest/globals';
import { minutes, seconds } from '../../../src/domain/duration.ts';
import { type Hook, readHooks, parseHooksDone } from '../../../src/domain/shift/hooks.ts';
import { runHook } from '../../../src/engine/shift/run-hooks.ts';
import type { Programs } from '../../../src/ports/programs.ts';
import { fakeClock } from '../../fakes/clock.ts';
import { recordingLog } from '../../fakes/log.ts';

const hook = (program: string, more: Partial<Hook> = {}): Hook => ({
  program,
  args: ['now'],
  timeout: seconds(30),
  database: 'untouched',
  ...more,
});

/** Programs that end as their names say: `ends-3`, `hangs`, `missing`. */
function playing(): Pick<Programs, 'run'> & { readonly ran: string[] } {
  const ran: string[] = [];
  return {
    ran,
    async run(program, { args, env, onLine }, signal) {
      ran.push(`${program} ${args.join(' ')} ${env?.['SLUICE_OUTCOME']}`);
      if (program === 'missing') return { code: 127, stdout: '', stderr: 'spawn missing ENOENT' };
      onLine?.(`::error::from ${program}`);
      if (program !== 'hangs') return { code: Number(program.split('-')[1]), stdout: '', stderr: '' };
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
    },
  };
}

const open = (databases: 'allowed' | 'untouched' = 'untouched') => {
  const [programs, log] = [playing(), recordingLog()];
  const tools = {
    programs,
    log,
    clock: fakeClock({ mode: 'automatic' }),
    env: { SLUICE_OUTCOME: 'promoted' },
    databases,
  };
  return { programs, log, tools };
};
const { signal } = new AbortController();
const run = (each: Hook, tools: ReturnType<typeof open>['tools'], before: 'nothing' | 'interrupted' = 'nothing') =>
  runHook({ hook: each, before }, tools, signal);

describe('commands after a shift', () => {
  test('end as their code says, and their output is no command of the runner', async () => {
    const { programs, log, tools } = open();
    const results = [];
    for (const each of ['ends-3', 'missing', 'ends-0']) results.push(await run(hook(each), tools));
    expect(results.map(({ end, says }) => `${end}: ${says}`)).toEqual([
      'failed: it ended with 3',
      'failed: it ended with 127 (spawn missing ENOENT)',
      'good: it ended well',
    ]);
    expect(programs.ran).toEqual(['ends-3 now promoted', 'missing now promoted', 'ends-0 now promoted']);
    expect(log.lines.filter((line) => line.startsWith('::'))).toEqual([]);
  });

  test('are ended when their time is over', async () => {
    const { tools } = open();
    expect(await run(hook('hangs', { timeout: seconds(5) }), tools)).toMatchObject({
      end: 'failed',
      says: 'it took longer than 5s and was ended',
    });
  });

  test('leave databases alone, unless that is allowed by name', async () => {
    const database = hook('ends-0', { database: 'changed' });
    const kept = open();
    expect(await run(database, kept.tools)).toMatchObject({ end: 'skipped' });
    expect(kept.programs.ran).toEqual([]);
    expect(await run(database, open('allowed').tools)).toMatchObject({ end: 'good' });
  });

  test('that were interrupted run again, unless they change a database', async () => {
    const { programs, tools, log } = open('allowed');
    expect(await run(hook('ends-0'), tools, 'interrupted')).toMatchObject({ end: 'good' });
    expect(log.lines.join()).toContain('again, because it was interrupted');
    const database = hook('ends-0', { args: ['migrate'], database: 'changed' });
    expect(await run(database, tools, 'interrupted')).toMatchObject({
      end: 'failed',
      says: expect.stringContaining('not begun twice'),
    });
    expect(programs.ran).toEqual(['ends-0 now promoted']);
  });

  test('do not begin in a step that was stopped', async () => {
    const { programs, tools } = open();
    expect(await runHook({ hook: hook('ends-0'), before: 'nothing' }, tools, AbortSignal.abort())).toMatchObject({
      end: 'skipped',
    });
    expect(programs.ran).toEqual([]);
  });
});

describe('a list of commands', () => {
  test('is read from words, or with a time and a mark', () => {
    expect(readHooks([['npm', 'run', 3], { run: ['./x'], timeout: '10m', database: true }])).toEqual({
      ok: true,
      value: [
        { program: 'npm', args: ['run', '3'], timeout: minutes(5), database: 'untouched' },
        { program: './x', args: [], timeout: minutes(10), database: 'changed' },
      ],
    });
  });

  test.each([
    { name: 'one text, which would need a shell', value: ['rm -rf /tmp/x; echo'], says: '[0] is one text' },
    { name: 'no list', value: 'npm run x', says: 'is not a list of commands' },
    { name: 'a misspelt key', value: [{ run: ['x'], timout: '5m' }], says: '[0] has the unknown key timout' },
    {
      name: 'a time without a unit',
      value: [{ run: ['x'], timeout: 5 }],
      says: '[0] has a timeout that is no duration',
    },
    { name: 'no words', value: [[]], says: '[0] has a run that is no list of words' },
    { name: 'a mapping among the words', value: [['x', { y: 1 }]], says: '[0] has a run that is no list of words' },
    { name: 'a mark that is no truth', value: [{ run: ['x'], database: 'yes' }], says: '[0] has a database that' },
  ])('is refused with $name', ({ value, says }) => {
    expect(readHooks(value)).toMatchObject({ ok: false, problem: expect.stringContaining(says) });
  });
});

test.each([
  { name: 'nothing', text: '', done: { ended: 0, next: 'waiting' } },
  { name: 'two ended', text: '2', done: { ended: 2, next: 'waiting' } },
  { name: 'the first begun', text: '0 begun', done: { ended: 0, next: 'begun' } },
  { name: 'what is none of ours', text: 'two', done: undefined },
])('how far a list has come is read from a tag: $name', ({ text, done }) => {
  expect(parseHooksDone(text)).toEqual(done);
});
