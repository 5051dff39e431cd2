import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { probeEngines } from '../../../src/adapters/docker/probe.ts';
import { systemPrograms } from '../../../src/adapters/system/programs.ts';
import { chooseEngine } from '../../../src/domain/image-build/engine.ts';
import { ensureBuildx } from '../../../tools/engine.mjs';
import { needs } from '../../harness/needs.ts';

const { signal } = new AbortController();

needs('buildx')('clients whose engine does not run', () => {
  const programs = systemPrograms();
  let folder = '';
  let env: Readonly<Record<string, string>> = {};
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-probe-'));
    await mkdir(join(folder, 'cli-plugins'));
    await copyFile(ensureBuildx(), join(folder, 'cli-plugins', 'docker-buildx'));
    env = { DOCKER_CONFIG: folder, BUILDX_CONFIG: join(folder, 'buildx'), DOCKER_HOST: 'unix:///nowhere/docker.sock' };
  });
  afterAll(() => rm(folder, { recursive: true }));

  test('build with a BuildKit that runs by itself', async () => {
    const [client = ''] = await programs.find('docker');
    const args = ['buildx', 'create', '--name', 'alone', '--driver', 'remote', 'tcp://127.0.0.1:1'];
    expect(await programs.run(client, { args, env }, signal)).toMatchObject({ code: 0 });
    const probes = await probeEngines({ programs, env, builder: 'alone' }, signal);
    expect(chooseEngine(probes, 'auto')).toMatchObject({
      kind: 'buildx',
      builder: { name: 'alone', driver: 'remote', nodes: 1 },
      said: expect.stringMatching(/^No engine here, .*builder alone \(driver remote\)$/),
    });
  });

  test('build with nothing else', async () => {
    const probes = await probeEngines({ programs, env }, signal);
    expect(chooseEngine(probes, 'auto')).toMatchObject({
      problem: expect.stringMatching(/^no docker engine answers \([^;]*Cannot connect to the Docker daemon[^,;]*[;)]/),
    });
  });
});
