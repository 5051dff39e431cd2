import { describe, expect, test } from '@jest/globals';
import { minutes, seconds } from '../../../src/domain/duration.ts';
import { type Hook, readHooks } from '../../../src/domain/shift/hooks.ts';
import { runHooks } from '../../../src/engine/shift/run-hooks.ts';
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

describe('commands after a shift', () => {
  test('run one after the other, also after one that failed, and their output is no command of the runner', async () => {
    const { programs, log, tools } = open();
    const results = await runHooks([hook('ends-3'), hook('missing'), hook('ends-0')], tools, signal);
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
    const [result] = await runHooks([hook('hangs', { timeout: seconds(5) })], tools, signal);
    expect(result).toMatchObject({ end: 'failed', says: 'it took longer than 5s and was ended' });
  });

  test('leave databases alone, unless that is allowed by name', async () => {
    const database = hook('ends-0', { database: 'changed' });
    const kept = open();
    expect(await runHooks([database], kept.tools, signal)).toMatchObject([{ end: 'skipped' }]);
    expect(kept.programs.ran).toEqual([]);
    expect(await runHooks([database], open('allowed').tools, signal)).toMatchObject([{ end: 'good' }]);
  });

  test('do not begin in a step that was stopped', async () => {
    const { programs, tools } = open();
    expect(await runHooks([hook('ends-0')], tools, AbortSignal.abort())).toMatchObject([{ end: 'skipped' }]);
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
