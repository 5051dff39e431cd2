import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { freezeDuring, mainOnly, onceItSays } from './interrupt.ts';
import { type BundleRun, runBundle, startBundle } from './run-bundle.ts';

const scenario = (name: string): BundleRun => ({
  action: { fixture: 'scenario.ts' },
  inputs: { scenario: name, cluster: 'web' },
});

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('the harness', () => {
  test('kills what does not end in time, and says so', async () => {
    const result = await runBundle({ ...scenario('wait-untouched'), timeout: 1_500 });
    expect(result).toMatchObject({ timedOut: true, signal: 'SIGKILL', exitCode: null });
    expect(isAlive(result.pid)).toBe(false);
  });

  test('inherits nothing but PATH', async () => {
    const result = await runBundle({ action: { fixture: 'environment.ts' } });
    const inherited = Object.keys(JSON.parse(result.stdout)).filter((name) => !/^(GITHUB_|RUNNER_)/.test(name));
    expect(inherited.sort()).toEqual(['AWS_EC2_METADATA_DISABLED', 'HOME', 'PATH', 'TMPDIR']);
  });

  test('leaves no process behind when the tests themselves are killed', async () => {
    const parent = await startBundle({ action: { fixture: 'starts-another.ts' } });
    await parent.saw(/CHILD \d+/);
    parent.signal('SIGKILL');
    const { stdout } = await parent.result;
    const child = Number(/CHILD (\d+)/.exec(stdout)?.[1]);
    for (let look = 0; look < 100 && isAlive(child); look++) await pause(50);
    expect(isAlive(child)).toBe(false);
  });

  test('freezes a step and lets it go on', async () => {
    let during: readonly string[] = [];
    const result = await mainOnly(
      { ...scenario('talk-forever'), timeout: 20_000 },
      onceItSays(/\.\n\.\n/, async (running) => {
        await freezeDuring(async () => {
          await pause(100);
          const before = running.output().length;
          await pause(300);
          during = [running.output().slice(before)];
        })(running);
        const before = running.output().length;
        await running.saw(new RegExp(`^[^]{${before + 10},}$`));
        running.signal('SIGINT');
      }),
    );
    expect(during).toEqual(['']);
    expect(result.outputs['outcome']).toBe('cancelled');
  });

  test('refuses an action that was not built, by its path', async () => {
    await expect(runBundle({ action: 'no-such-action' })).rejects.toThrow(/no-such-action/);
  });
});
