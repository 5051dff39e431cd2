import { describe, expect, test } from '@jest/globals';
import { cancelAsRunner, kill, mainOnly, mainThenPost, onceItSays } from '../harness/interrupt.ts';
import { type BundleRun, type RunningBundle, runBundle, startBundle } from '../harness/run-bundle.ts';

const scenario = (name: string): BundleRun => ({
  action: { fixture: 'scenario.ts' },
  inputs: { scenario: name, cluster: 'web' },
});

const send =
  (...signals: readonly NodeJS.Signals[]) =>
  async (running: RunningBundle): Promise<void> => {
    for (const signal of signals) running.signal(signal);
  };

const messages = (result: { readonly annotations: readonly { readonly level: string; readonly message: string }[] }) =>
  result.annotations.map(({ level, message }) => `${level}: ${message}`);

describe('a cancelled run', () => {
  test('ends with the exit code and the outcome of a cancel, and says that nothing was changed', async () => {
    const result = await mainOnly(scenario('wait-untouched'), onceItSays(/READY/, send('SIGINT')));
    expect(result).toMatchObject({ exitCode: 130, signal: null });
    expect(result.outputs).toMatchObject({ outcome: 'cancelled', changed: 'false' });
    expect(messages(result)).toEqual(['warning: Cancelled by SIGINT. Nothing was changed.']);
    expect(result.summary).toContain('### scenario: cancelled');
  });

  test('says who goes on when it had changed something and needs no call', async () => {
    const result = await mainOnly(scenario('wait-changed'), onceItSays(/READY/, send('SIGINT')));
    expect(result.outputs).toMatchObject({ outcome: 'cancelled', changed: 'true' });
    expect(messages(result)).toEqual([
      'warning: Cancelled by SIGINT. No call was due to restore a safe state. The post step goes on from what is true then.',
    ]);
  });

  test('makes the registered call, although main took it back while it unwound, and says what it did', async () => {
    const result = await mainOnly(scenario('wait-restorable'), onceItSays(/READY/, send('SIGINT')));
    expect(result.exitCode).toBe(130);
    expect(messages(result)).toEqual([
      'warning: Cancelled by SIGINT. Traffic is 100/0 again (call 1). The post step verifies it.',
    ]);
  });

  test('makes that call once, however many signals come', async () => {
    const repeated = async (running: RunningBundle): Promise<void> => {
      running.signal('SIGINT');
      await running.saw(/RESTORING 1/);
      running.signal('SIGTERM');
      running.signal('SIGINT');
    };
    const result = await mainOnly(scenario('wait-restorable'), onceItSays(/READY/, repeated));
    expect(result.exitCode).toBe(130);
    expect(result.stdout).not.toContain('RESTORING 2');
    expect(result.stdout).toContain('SIGTERM as well; already stopping');
    expect(result.outputs['outcome']).toBe('cancelled');
  });

  test('says so when the call fails, and that somebody must look', async () => {
    const result = await mainOnly(scenario('wait-restore-fails'), onceItSays(/READY/, send('SIGINT')));
    expect(result.exitCode).toBe(130);
    expect(messages(result)).toEqual([
      'error: Cancelled by SIGINT. The call that restores a safe state failed: Could not set weight 0: throttled. The post step tries again.',
    ]);
  });

  test('does not wait for a call longer than the runner waits for it', async () => {
    const result = await mainOnly(scenario('wait-restore-hangs'), onceItSays(/READY/, cancelAsRunner({ scale: 1 })));
    expect(result).toMatchObject({ exitCode: 130, signal: null });
    expect(result.stdout).toContain('RESTORE WAS ABORTED');
    expect(messages(result)).toEqual([
      'error: Cancelled by SIGINT. The call that restores a safe state failed: no answer within 5s. The post step tries again.',
    ]);
  });

  test('has less patience when SIGTERM is the first word', async () => {
    const started = await startBundle(scenario('wait-restore-hangs'));
    await started.saw(/READY/);
    const from = performance.now();
    started.signal('SIGTERM');
    const result = await started.result;
    // 2 s and what the process needs to leave; SIGINT would leave 6 s.
    expect(performance.now() - from).toBeLessThan(4_000);
    expect(result.exitCode).toBe(143);
    expect(messages(result)[0]).toContain(
      'Cancelled by SIGTERM. The call that restores a safe state failed: no answer within 1.75s.',
    );
  });

  test('keeps the end that main came to by itself, and takes nothing back', async () => {
    const result = await mainOnly(scenario('wait-and-report'), onceItSays(/READY/, send('SIGINT')));
    expect(result.exitCode).toBe(0);
    expect(result.outputs['outcome']).toBe('stopped-by-itself');
    expect(result.stdout).not.toContain('must not be called');
  });

  test('shows what else went wrong, when it was not the cancel itself', async () => {
    const result = await mainOnly(scenario('wait-and-fail'), onceItSays(/READY/, send('SIGINT')));
    expect(result.outputs['outcome']).toBe('cancelled');
    expect(messages(result)).toEqual([
      'warning: Cancelled by SIGINT. Nothing was changed.',
      'error: Could not delete the lock: access denied.',
    ]);
  });

  test('ends by itself although main does not listen, before the runner has to kill it', async () => {
    const result = await mainOnly(scenario('ignore-the-signal'), onceItSays(/WRITING/, cancelAsRunner({ scale: 1 })));
    expect(result).toMatchObject({ exitCode: 130, signal: null });
    expect(messages(result)).toEqual([
      'warning: Cancelled by SIGINT. Traffic is 100/0 again. The post step verifies it.',
    ]);
    expect(result.stdout).not.toContain('SIGTERM as well');
    expect(result.outputs['outcome']).toBe('cancelled');
  });

  test('restores the safe state when the runner is gone and nobody reads the log', async () => {
    const running = await startBundle(scenario('talk-forever'));
    await running.saw(/READY/);
    running.closeOutput();
    const result = await running.result;
    expect(result.exitCode).toBe(141);
    expect(result.written).toEqual({ 'restored.txt': 'yes' });
    expect(result.outputs['outcome']).toBe('cancelled');
  });

  test('touches nothing when the signal comes before the inputs are read', async () => {
    const result = await mainOnly({ ...scenario('wait-untouched') }, send('SIGINT'));
    expect(result.outputs['outcome'] ?? 'none').toMatch(/^(none|cancelled)$/);
    expect(result.stdout).not.toContain('READY');
  });
});

describe('post', () => {
  const looksAfter = /POST of/;

  test.each([
    ['a main that succeeded', 'succeed'],
    ['a main whose report was red', 'report-failure'],
    ['a main that threw a Failure, which says itself what is true', 'fail'],
    ['a main that stopped at its inputs', 'invalid-file'],
  ])('does nothing after %s', async (_name, name) => {
    const { post } = await mainThenPost(scenario(name), async () => undefined);
    expect(post).toMatchObject({ exitCode: 0, outputs: {}, annotations: [], summary: '' });
    expect(post.stdout).not.toMatch(looksAfter);
  });

  test('does nothing without a main', async () => {
    const post = await runBundle({ ...scenario('save-and-wait'), phase: 'post' });
    expect(post).toMatchObject({ exitCode: 0, outputs: {}, annotations: [] });
    expect(post.stdout).toBe('::debug::Nothing to look after: main did not begin\n');
  });

  test('does nothing after a main with bad inputs, and does not repeat their problems', async () => {
    const bad: BundleRun = { ...scenario('succeed'), inputs: { scenario: 'succeed', cluster: 'web', mode: 'rnu' } };
    const { main, post } = await mainThenPost(bad, async () => undefined);
    expect(main.exitCode).toBe(1);
    expect(post).toMatchObject({ exitCode: 0, annotations: [] });
  });

  test('finishes what a killed main left, with what it saved', async () => {
    const { main, post } = await mainThenPost(scenario('save-and-wait'), onceItSays(/READY/, kill));
    expect(main).toMatchObject({ exitCode: null, signal: 'SIGKILL', outputs: {} });
    expect(main.state['shift-id']).toBe('s-1\nwith a line');
    expect(post.exitCode).toBe(0);
    expect(post.stdout).toContain('POST of save-and-wait, shift s-1\nwith a line\n');
    expect(post.outputs['outcome']).toBe('finished-by-post');
  });

  test('verifies after a main that was cancelled', async () => {
    const { post } = await mainThenPost(scenario('wait-restorable'), onceItSays(/READY/, cancelAsRunner({ scale: 1 })));
    expect(post.stdout).toMatch(looksAfter);
    expect(post.exitCode).toBe(0);
  });

  test('verifies after a bug', async () => {
    const { post } = await mainThenPost(scenario('bug-while-shifting'), async () => undefined);
    expect(post.stdout).toMatch(looksAfter);
  });

  test('has nothing to look after when a dry run was killed', async () => {
    const dry: BundleRun = {
      ...scenario('wait-untouched'),
      inputs: { scenario: 'wait-untouched', cluster: 'web', 'dry-run': 'true' },
    };
    const { post } = await mainThenPost(dry, onceItSays(/READY/, kill));
    expect(post.stdout).not.toMatch(looksAfter);
  });

  test('can be cancelled itself', async () => {
    const post = await runBundle({
      ...scenario('wait-untouched'),
      phase: 'post',
      state: { 'sluice-main': 'began' },
      inputs: { scenario: 'wait-in-post', cluster: 'web' },
      signalAt: { output: /POST of/, signal: 'SIGINT' },
    });
    expect(post.exitCode).toBe(130);
    expect(messages(post)).toEqual(['warning: Cancelled by SIGINT. Nothing was changed.']);
  });
});
