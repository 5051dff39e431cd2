import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EnvHttpProxyAgent, fetch } from 'undici';
import { Failure, messageOf } from '../../domain/failure.ts';
import { readTrivy } from '../../domain/image-scan/trivy.ts';
import type { ImageScanner } from '../../ports/image-scanner.ts';
import type { Programs } from '../../ports/programs.ts';

export interface TrivyRelease {
  readonly version: string;
  readonly sha256: string;
  readonly url: string;
}

export interface TrivyPlaces {
  /** RUNNER_TOOL_CACHE, or a folder of this run. */
  readonly cache: string;
  /** A folder of this run alone, which somebody removes also after a crash: the program and what it leaves are in it. */
  readonly folder: string;
  /** DOCKER_CONFIG of this run, with which Trivy reads the image. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Trivy by release and hash. The archive is kept in the tool cache and compared with the hash each time before anything of
 * it runs: tags of its action were once moved to another program (CVE-2026-33634), and a cache is many jobs' own.
 */
export async function trivyScanner(
  release: TrivyRelease,
  { cache, folder, env }: TrivyPlaces,
  programs: Programs,
  signal: AbortSignal,
): Promise<ImageScanner> {
  const archive = await archiveOf(release, cache, signal);
  const home = join(folder, 'trivy');
  await mkdir(join(home, 'temp'), { recursive: true, mode: 0o700 });
  const unpacked = await programs.run('tar', { args: ['-xzf', archive, '-C', home, 'trivy'] }, signal);
  if (unpacked.code !== 0) throw new Failure({ what: `Could not unpack ${archive}`, why: unpacked.stderr.trim() });
  return {
    name: `Trivy ${release.version}`,
    answers: 'final',
    async look({ host, path, digest, platform }, stop) {
      const args = trivyArguments({ image: `${host}/${path}@${digest}`, platform });
      // Not in the workspace: a trivy.yaml or a .trivyignore of the commit that is scanned would hold there.
      const call = { args, env: { ...env, TMPDIR: join(home, 'temp') }, cwd: home };
      const { code, stdout, stderr } = await programs.run(join(home, 'trivy'), call, stop);
      if (code !== 0)
        return {
          kind: 'failed',
          why: `Trivy ended with ${code ?? 'a signal'}: ${stderr.trim().split('\n').at(-1) ?? ''}`,
        };
      const read = readTrivy(parsed(stdout));
      return read.ok
        ? { kind: 'findings', findings: read.value }
        : { kind: 'failed', why: `what Trivy wrote ${read.problem}` };
    },
  };
}

/** All severities, once, as JSON: limits and SARIF are derived from it here. */
export const trivyArguments = ({
  image,
  platform,
}: {
  readonly image: string;
  readonly platform: string;
}): readonly string[] => [
  'image',
  '--quiet',
  '--format',
  'json',
  '--scanners',
  'vuln',
  '--image-src',
  'remote',
  '--platform',
  platform,
  image,
];

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function archiveOf({ version, sha256, url }: TrivyRelease, cache: string, signal: AbortSignal): Promise<string> {
  const name = `trivy_${version}_Linux-${process.arch === 'arm64' ? 'ARM64' : '64bit'}.tar.gz`;
  const file = join(cache, 'sluice-trivy', version, name);
  const kept = await hashOf(file);
  if (kept === sha256) return file;
  const address = `${url.replace(/\/+$/, '')}/v${version}/${name}`;
  const bytes = await download(address, signal);
  const found = createHash('sha256').update(bytes).digest('hex');
  if (found !== sha256)
    throw new Failure({
      what: `Trivy ${version} is not what trivy-sha256 says`,
      why: `${address} has the SHA-256 ${found}`,
      now: 'Nothing of it was run',
      next: 'Compare both with the checksums of the release, and trust neither until you know why they differ',
    });
  await mkdir(join(cache, 'sluice-trivy', version), { recursive: true });
  await writeFile(`${file}.${process.pid}`, bytes);
  await rename(`${file}.${process.pid}`, file);
  return file;
}

async function hashOf(file: string): Promise<string | undefined> {
  try {
    return createHash('sha256')
      .update(await readFile(file))
      .digest('hex');
  } catch {
    return undefined;
  }
}

async function download(address: string, signal: AbortSignal): Promise<Uint8Array> {
  const what = `Could not download ${address}`;
  for (let attempt = 1; ; attempt += 1) {
    try {
      const answer = await fetch(address, {
        dispatcher: new EnvHttpProxyAgent(),
        signal: AbortSignal.any([signal, AbortSignal.timeout(120_000)]),
      });
      if (answer.status !== 200) throw new Error(`status ${answer.status}`);
      return new Uint8Array(await answer.arrayBuffer());
    } catch (cause) {
      signal.throwIfAborted();
      if (attempt >= 3)
        throw new Failure(
          { what, why: messageOf(cause), next: 'Set trivy-url to a mirror that this runner reaches' },
          { cause },
        );
    }
  }
}
