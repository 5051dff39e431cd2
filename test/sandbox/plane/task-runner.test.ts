import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from '@jest/globals';
import WebSocket from 'ws';
import { inProcessTaskRunner } from '../../../sandbox/plane/task-runner-in-process.ts';
import { processTaskRunner } from '../../../sandbox/plane/task-runner-processes.ts';
import type { Address, LoggingTaskRunner, TaskExit, TaskSpec } from '../../../sandbox/plane/types.ts';
import { ask } from './ask.ts';

const specOf = (tag: string, environment: Record<string, string> = {}, id = 'task-1'): TaskSpec => ({
  id,
  image: `wesign/charts:${tag}`,
  tag,
  digest: 'sha256:00',
  environment,
  containerPort: 80,
});

const base = ({ host, port }: Address): string => `http://${host}:${port}`;

const runners: { name: string; make: () => LoggingTaskRunner }[] = [
  { name: 'processes', make: () => processTaskRunner() },
  { name: 'in process', make: () => inProcessTaskRunner() },
];

describe.each(runners)('tasks: $name', ({ make }) => {
  const runner = make();
  afterEach(() => runner.stopAll());

  /** Starts a task and gathers its exits. */
  async function started(spec: TaskSpec): Promise<{ url: string; address: Address; exits: TaskExit[] }> {
    const exits: TaskExit[] = [];
    const address = await runner.start(spec, (exit) => exits.push(exit));
    return { url: base(address), address, exits };
  }

  test('serve the release that their image names', async () => {
    const { url } = await started(specOf('1.4.0', { COLOR: 'blue' }));
    const answer = await ask(`${url}/version`);
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({ 'x-app-version': '1.4.0', 'x-app-color': 'blue', 'x-app-task': 'task-1' });
    expect(JSON.parse(answer.body)).toEqual({ version: '1.4.0', digest: 'sha256:00', color: 'blue', task: 'task-1' });
  });

  test('echo on the WebSocket and name their release in its handshake', async () => {
    const { url } = await started(specOf('1.4.0'));
    const socket = new WebSocket(`${url.replace('http', 'ws')}/analyticsHub`);
    const upgrade = new Promise<string>((resolve) =>
      socket.once('upgrade', ({ headers }) => resolve(String(headers['x-app-version']))),
    );
    const echo = new Promise<string>((resolve) => socket.once('message', (data) => resolve(String(data))));
    socket.once('open', () => socket.send('hello'));
    expect([await upgrade, await echo]).toEqual(['1.4.0', 'hello']);
    socket.terminate();
  });

  test('stop: an open request is answered, WebSockets close with 1001, the exit is 0 and told once', async () => {
    const { url, exits } = await started(
      specOf('1.4.0-slow', { BEHAVIOUR_AFTER_REQUESTS: '0', BEHAVIOUR_DELAY_MS: '400' }),
    );
    const socket = new WebSocket(`${url.replace('http', 'ws')}/analyticsHub`);
    await new Promise((resolve) => socket.once('open', resolve));
    const closed = new Promise<number>((resolve) => socket.once('close', resolve));
    const open = ask(`${url}/`);
    await sleep(150);
    await Promise.all([runner.stop('task-1', 5_000), runner.stop('task-1', 5_000)]);
    expect((await open).status).toBe(200);
    expect(await closed).toBe(1001);
    expect(exits).toEqual([{ code: 0, signal: null }]);
    await expect(ask(url)).rejects.toThrow('ECONNREFUSED');
  });

  test('are killed when they do not stop within their grace', async () => {
    const { url, exits } = await started(
      specOf('1.4.0-slow', { BEHAVIOUR_AFTER_REQUESTS: '0', BEHAVIOUR_DELAY_MS: '20000' }),
    );
    const open = ask(`${url}/`).catch((error: NodeJS.ErrnoException) => error.code);
    await sleep(100);
    await runner.stop('task-1', 100);
    expect(await open).toBe('ECONNRESET');
    expect(exits).toEqual([{ code: null, signal: 'SIGKILL' }]);
  });

  test('crash: the exit is told, the reason is in the log, and open requests are cut', async () => {
    const { url, exits } = await started(specOf('1.4.0-crash', { BEHAVIOUR_AFTER_REQUESTS: '3' }));
    expect([await ask(url), await ask(url), await ask(url)].map(({ status }) => status)).toEqual([200, 200, 200]);
    await sleep(300);
    expect(exits).toEqual([{ code: 1, signal: null }]);
    await expect(ask(url)).rejects.toThrow('ECONNREFUSED');
    expect(runner.logs('task-1').at(-1)).toContain('fatal');
    await runner.stop('task-1', 1_000);
  });

  test.each([
    { name: 'crash-at-start', spec: specOf('1.4.0-crash-at-start'), why: 'could not connect to the database' },
    {
      name: 'settings that cannot be read',
      spec: specOf('1.4.0-slow', { BEHAVIOUR_DELAY_MS: 'x' }),
      why: 'BEHAVIOUR_DELAY_MS',
    },
  ])('that end before they listen are refused and their exit is told: $name', async ({ spec, why }) => {
    const exits: TaskExit[] = [];
    await expect(runner.start(spec, (exit) => exits.push(exit))).rejects.toThrow(why);
    expect(exits).toEqual([{ code: 1, signal: null }]);
    expect(runner.logs('task-1').join('\n')).toContain(why);
  });

  test('with the id of a running one are refused', async () => {
    await started(specOf('1.4.0'));
    await expect(runner.start(specOf('1.4.1'), () => undefined)).rejects.toThrow('already runs');
  });

  test('that are unknown are stopped without a word and have no log', async () => {
    await runner.stop('nobody', 1_000);
    expect(runner.logs('nobody')).toEqual([]);
  });

  test('keep their last 50 lines', async () => {
    const { url } = await started(specOf('1.4.0-error-rate', { BEHAVIOUR_AFTER_REQUESTS: '0', BEHAVIOUR_SHARE: '1' }));
    for (let index = 0; index < 60; index += 1) await ask(`${url}/page-${index}`);
    await sleep(100);
    const lines = runner.logs('task-1');
    expect(lines).toHaveLength(50);
    expect(lines.at(-1)).toBe('GET /page-59 500');
  });
});

describe('tasks as processes', () => {
  test('see nothing of the environment around them, and their own stays data', async () => {
    const runner = processTaskRunner();
    const address = await runner.start(specOf('1.4.0', { NODE_OPTIONS: '--require /nowhere' }), () => undefined);
    expect((await ask(base(address))).status).toBe(200);
    await runner.stopAll();
  });

  test('that never listen are killed and refused', async () => {
    const runner = processTaskRunner({
      startTimeout: 300,
      program: join(import.meta.dirname, 'program-that-never-listens.cjs'),
    });
    const exits: TaskExit[] = [];
    await expect(runner.start(specOf('1.4.0'), (exit) => exits.push(exit))).rejects.toThrow(
      'did not listen within 300 ms',
    );
    expect(exits).toEqual([{ code: null, signal: 'SIGKILL' }]);
  });

  test('twelve are up within seconds', async () => {
    const runner = processTaskRunner();
    const before = performance.now();
    const ids = Array.from({ length: 12 }, (_, index) => `task-${index}`);
    const addresses = await Promise.all(ids.map((id) => runner.start(specOf('1.4.0', {}, id), () => undefined)));
    expect(new Set(addresses.map(({ port }) => port)).size).toBe(12);
    // 0.5 s on two idle cores; the limit only has to catch a start that compiles types or waits.
    expect(performance.now() - before).toBeLessThan(5_000);
    await runner.stopAll();
  });

  test('do not outlive a parent that is killed', async () => {
    const parent = spawn(process.execPath, [join(import.meta.dirname, 'start-two-tasks.ts')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const urls = JSON.parse(await firstLine(parent)) as string[];
    expect((await Promise.all(urls.map((url) => ask(url)))).map(({ status }) => status)).toEqual([200, 200]);
    parent.kill('SIGKILL');
    await expect(refusedEventually(urls)).resolves.toBe('all gone');
  });
});

const firstLine = (parent: ChildProcess): Promise<string> =>
  new Promise((resolve) => parent.stdout?.setEncoding('utf8').once('data', (text: string) => resolve(text)));

async function refusedEventually(urls: readonly string[]): Promise<string> {
  for (let tries = 0; tries < 50; tries += 1) {
    const answers = await Promise.allSettled(urls.map((url) => ask(url)));
    if (answers.every(({ status }) => status === 'rejected')) return 'all gone';
    await sleep(100);
  }
  return 'some still answer';
}
