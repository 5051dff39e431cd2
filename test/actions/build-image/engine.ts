import { createHash } from 'node:crypto';
import { copyFile, mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Engine, startEngine } from '../../../sandbox/engine/engine.ts';
import { type Registry, startRegistry } from '../../../sandbox/engine/registry.ts';
import { type BundleResult, type BundleRun, startBundle } from '../../harness/run-bundle.ts';

export const COMMIT = '0123456789abcdef0123456789abcdef01234567';
export const DOCKERFILE = `FROM scratch
ARG GREETING=hello
LABEL greeting=$GREETING
COPY busybox /bin/busybox
COPY page.txt /page.txt
CMD ["/bin/busybox", "cat", "/page.txt"]
`;

export interface Workbench {
  readonly engine: Engine;
  readonly registry: Registry;
  /** A context of a static program and a page; `page` makes it another image. */
  context(page: string, more?: Readonly<Record<string, string>>): Promise<string>;
  build(run: BuildRun): Promise<BundleResult>;
  close(): Promise<void>;
}

export interface BuildRun extends Pick<BundleRun, 'phase' | 'state' | 'signalAt' | 'onSpawn' | 'files'> {
  readonly context?: string;
  readonly inputs?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
}

/** One engine and one registry for a file of tests. */
export async function openWorkbench(): Promise<Workbench> {
  const [engine, registry] = await Promise.all([startEngine(), startRegistry()]);
  const folders: string[] = [];
  return {
    engine,
    registry,
    async context(page, more = {}) {
      const folder = await mkdtemp(join(tmpdir(), 'sluice-context-'));
      folders.push(folder);
      await copyFile(engine.busybox, join(folder, 'busybox'));
      for (const [path, text] of Object.entries({ Dockerfile: DOCKERFILE, 'page.txt': page, ...more })) {
        await mkdir(dirname(join(folder, path)), { recursive: true });
        await writeFile(join(folder, path), text);
      }
      return folder;
    },
    async build({ context, inputs, env, ...run }) {
      const started = await startBundle({
        action: 'build-image',
        inputs: {
          ...(context === undefined ? {} : { context, file: join(context, 'Dockerfile') }),
          ...inputs,
        },
        env: {
          ...engine.env,
          GITHUB_EVENT_NAME: 'push',
          GITHUB_REF: 'refs/heads/main',
          GITHUB_SHA: COMMIT,
          ...env,
        },
        timeout: 120_000,
        ...run,
      });
      return started.result;
    },
    async close() {
      await Promise.all([engine.stop(), registry.stop(), ...folders.map((folder) => rm(folder, { recursive: true }))]);
    },
  };
}

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
