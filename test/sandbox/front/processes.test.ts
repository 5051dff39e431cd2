import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { stack } from '../../../sandbox/world.ts';
import { ensurePython } from '../../../tools/python.mjs';
import { aCloud } from './a-cloud.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const refuses = (url: string): Promise<boolean> =>
  fetch(url).then(
    () => false,
    () => true,
  );

describe('with real time', () => {
  const cloud = aCloud('real');

  test('a stack runs as processes, serves at once, and is gone with its world', async () => {
    const world = await cloud().createWorld();
    const { pinned } = await world.publishImage({ repository: 'wesign/charts', tag: '1.4.0' });
    const made = await stack(world, { stage: 'staging', desired: 2, image: pinned });
    const answer = await fetch(`${made.url}/health`);
    const tasks = Object.values(world.state().tasks);
    const logs = world.taskLogs(tasks[0]?.id ?? '');
    const addresses = tasks.map(({ address }) => `http://127.0.0.1:${address?.port}/health`);
    expect(answer.status).toBe(200);
    expect(addresses).toHaveLength(2);
    expect(logs.join('\n')).not.toBe('');
    await world.close();
    expect(await Promise.all([...addresses, made.url].map(refuses))).toEqual([true, true, true]);
  }, 60_000);
});

describe('moto', () => {
  test('dies with a parent that was killed', async () => {
    const parent = spawn(process.execPath, [fileURLToPath(new URL('orphan.ts', import.meta.url))], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const url = `http://127.0.0.1:${line.toString().trim()}/`;
    const alive = !(await refuses(url));
    parent.kill('SIGKILL');
    await once(parent, 'close');
    const until = performance.now() + 5_000;
    while (!(await refuses(url)) && performance.now() < until) await new Promise((wait) => setTimeout(wait, 20));
    expect(alive).toBe(true);
    expect(await refuses(url)).toBe(true);
  });
});

describe('Python', () => {
  test('that is there already is given without a look at the machine', async () => {
    await ensurePython();
    const began = performance.now();
    const { python, env } = await ensurePython();
    expect(performance.now() - began).toBeLessThan(200);
    const asked = spawnSync(python, ['-c', 'import moto; print(moto.__version__)'], {
      env: { ...process.env, ...env },
    });
    expect(asked.stdout.toString().trim()).toMatch(/^5\.2\./);
  });

  test('that is missing is one clear line', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-python-'));
    try {
      mkdirSync(join(folder, 'sandbox'));
      cpSync(join(ROOT, 'sandbox/moto'), join(folder, 'sandbox/moto'), { recursive: true });
      cpSync(join(ROOT, 'tools/python.mjs'), join(folder, 'tools/python.mjs'));
      const ask = `import('${folder}/tools/python.mjs').then((m) => m.ensurePython()).catch((e) => console.log(e.message))`;
      const asked = spawnSync(process.execPath, ['-e', ask], {
        env: { ...process.env, SLUICE_PYTHON: '/nowhere/python3' },
      });
      expect(asked.stdout.toString().trim().split('\n')).toEqual([
        expect.stringMatching(
          /^The sandbox cloud needs Python 3\.10 or newer with venv or pip: no python3 was found on PATH\. Install it \(.+\)/,
        ),
      ]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
