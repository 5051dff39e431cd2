import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { needs } from '../../harness/needs.ts';
import { type Workbench, openWorkbench } from './engine.ts';

const LIMIT = 120_000;

/** A client that pushes only when both runs have come that far, as on a busy machine. */
function clientThatWaits(folder: string): void {
  const script = `#!/bin/sh
if [ "$1" = push ]; then
  touch "${folder}/$GITHUB_RUN_ID"
  while [ -d "${folder}" ] && ! { [ -e "${folder}/1" ] && [ -e "${folder}/2" ]; }; do sleep 0.05; done
fi
PATH="\${PATH#*:}" exec docker "$@"
`;
  writeFileSync(join(folder, 'docker'), script, { mode: 0o755 });
}

// A self-hosted runner has one engine for all its jobs, and an engine has one image for each name.
needs('engine')('one commit with other inputs on one engine', () => {
  let bench: Workbench;
  beforeAll(async () => {
    bench = await openWorkbench();
  }, LIMIT);
  afterAll(() => bench.close());

  /** The label of the image under a tag; undefined: there is none. */
  async function greetingOf(repository: string, tag: string): Promise<string | undefined> {
    const of = (path: string, accept: string): Promise<Response> =>
      fetch(`http://${bench.registry.host}/v2/${repository}/${path}`, { headers: { accept } });
    const found = await of(`manifests/${tag}`, 'application/vnd.docker.distribution.manifest.v2+json');
    if (!found.ok) return undefined;
    const { config } = (await found.json()) as { config: { digest: string } };
    const read = await of(`blobs/${config.digest}`, 'application/json');
    return ((await read.json()) as { config: { Labels: Record<string, string> } }).config.Labels['greeting'];
  }
  const build = (repository: string, context: string) => (greeting: string, env: Readonly<Record<string, string>>) =>
    bench.build({
      context,
      inputs: {
        repository,
        registry: bench.registry.host,
        tags: `type=raw,value=${greeting}`,
        'build-args': `GREETING=${greeting}`,
      },
      env,
    });
  const namesInEngine = (): readonly string[] =>
    execFileSync(join(bench.engine.clientFolder, 'docker'), ['images', '--format', '{{.Repository}}:{{.Tag}}'], {
      env: { ...process.env, ...bench.engine.env },
      encoding: 'utf8',
    }).split('\n');

  test(
    'two runs at once both end with their own image, and leave no name of their own',
    async () => {
      const slow = mkdtempSync(join(tmpdir(), 'sluice-slow-'));
      clientThatWaits(slow);
      const run = build('team/shared', await bench.context('shared'));
      const env = { PATH: `${slow}:${process.env['PATH'] ?? ''}` };
      const runs = await Promise.all([
        run('debian', { ...env, GITHUB_RUN_ID: '1' }),
        run('alpine', { ...env, GITHUB_RUN_ID: '2' }),
      ]);
      rmSync(slow, { recursive: true });
      const found = await Promise.all(
        ['debian', 'alpine'].map(async (greeting, index) => ({
          greeting,
          exit: runs[index]?.exitCode,
          label: await greetingOf('team/shared', greeting),
        })),
      );
      expect(found).toEqual(['debian', 'alpine'].map((greeting) => ({ greeting, exit: 0, label: greeting })));
      // Both have the name in the engine before one of them pushes: one of them finds its image not there, and names it anew.
      const lengths = runs.map(({ outputs }) => outputs['pinned-tag']?.split('@')[0]?.length ?? 0).sort();
      expect(lengths).toEqual(['sha-'.length + 40, 'sha-'.length + 40 + 1 + 12]);
      expect(runs.flatMap(({ annotations }) => annotations.map(({ message }) => message)).join()).toMatch(
        /was given to another image while this one was built; this image is sha-|of another run by now; this image is sha-/,
      );
      expect(namesInEngine().filter((name) => name.includes(':build-'))).toEqual([]);
    },
    LIMIT,
  );

  test(
    'three variants in one run have a name each, and the next run finds all of them',
    async () => {
      const run = build('team/variants', await bench.context('variants'));
      const greetings = ['debian', 'alpine', 'slim'];
      const all = async (attempt: string) => {
        const done = [];
        for (const greeting of greetings) done.push(await run(greeting, { GITHUB_RUN_ATTEMPT: attempt }));
        return done;
      };
      const built = await all('1');
      expect(built.map(({ outputs }) => outputs['outcome'])).toEqual(['pushed', 'pushed', 'pushed']);
      const names = built.map(({ outputs }) => outputs['pinned-tag']);
      expect(new Set(names).size).toBe(3);
      expect(names.slice(1).join(' ')).toMatch(/^sha-[0-9a-f]{40}-[0-9a-f]{12}@\S+ sha-[0-9a-f]{40}-[0-9a-f]{12}@\S+$/);
      const again = await all('2');
      expect(again.map(({ outputs }) => [outputs['outcome'], outputs['pinned-tag']])).toEqual(
        names.map((name) => ['reused', name]),
      );
      expect(await Promise.all(greetings.map((greeting) => greetingOf('team/variants', greeting)))).toEqual(greetings);
    },
    LIMIT,
  );
});
