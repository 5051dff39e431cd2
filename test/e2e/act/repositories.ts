import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../../..');
/** The suite as the callers of the tests name it. */
export const SUITE = 'acme/sluice@v0';

/** The suite and a repository that uses it, as two checkouts on this machine. */
export interface Repositories {
  /** `owner/name` of the caller. */
  readonly name: string;
  readonly suite: string;
  readonly caller: string;
  /** Of the caller's only commit. */
  readonly commit: string;
  /** Another file of the caller, committed. */
  add(path: string, text: string): void;
  remove(): void;
}

/** What `uses:` reads. act packs the whole folder for each step, so nothing else is in it. */
const USED = ['.github', 'actions', 'dist'];

/**
 * Exports the working tree as a mirror would publish it, and makes a repository of the caller's files. The bundles are
 * those that are tracked; SLUICE_ACT_BUNDLES names the folder of another build (`npm run build -- --out DIR`).
 */
export function makeRepositories(name: string, files: Readonly<Record<string, string>>): Repositories {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-repositories-'));
  const suite = join(folder, 'suite');
  const caller = join(folder, 'caller');
  const pin = [join(ROOT, 'tools/pin-self.mjs'), '--as', SUITE, '--out', suite, '--working-tree'];
  execFileSync(process.execPath, pin, { stdio: 'pipe' });
  for (const entry of readdirSync(suite).filter((each) => !USED.includes(each)))
    rmSync(join(suite, entry), { recursive: true });
  const built = process.env['SLUICE_ACT_BUNDLES'];
  if (built !== undefined) cpSync(built, suite, { recursive: true });
  if (!existsSync(join(suite, 'dist')))
    throw new Error('no dist is tracked: build it, or name a build by SLUICE_ACT_BUNDLES');
  withoutUnknownKeys(join(suite, '.github/workflows'));
  commit(suite);
  for (const [path, text] of Object.entries(files)) write(join(caller, path), text);
  return {
    name,
    suite,
    caller,
    commit: commit(caller),
    add(path, text) {
      write(join(caller, path), text);
      commit(caller);
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** act refuses a workflow with a key that it does not know, and `deployment` came to GitHub after its last release. */
function withoutUnknownKeys(workflows: string): void {
  for (const path of readdirSync(workflows).map((file) => join(workflows, file)))
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll(/^ *deployment: false\n/gm, ''));
}

/** A caller's workflow as its reader finishes it: by an owner and a commit, here the export's. */
export const namingTheSuite = (workflow: string): string =>
  workflow.replaceAll(/\bOWNER\/sluice\/(\S+)@COMMIT\b/g, `${SUITE.split('@')[0]}/$1@${SUITE.split('@')[1]}`);

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

function commit(folder: string): string {
  const identity = ['-c', 'user.name=tests', '-c', 'user.email=tests@example.com', '-c', 'commit.gpgsign=false'];
  const git = (...args: readonly string[]): string =>
    execFileSync('git', ['-C', folder, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  if (!existsSync(join(folder, '.git'))) git('init', '--quiet', '--initial-branch=main');
  git('add', '--all', '--force');
  git(...identity, 'commit', '--quiet', '--allow-empty', '--message=x');
  return git('rev-parse', 'HEAD').trim();
}
