import { Failure } from '../../domain/failure.ts';
import type { ImageScanner } from '../../ports/image-scanner.ts';
import { systemPrograms } from '../system/programs.ts';
import type { OpenTools, OpenedPorts } from './open-ports.ts';

export interface ScannerWish {
  readonly by: 'ecr' | 'trivy';
  readonly trivy?: { readonly version: string; readonly sha256: string; readonly url: string };
}

/** Trivy is downloaded here, so that one that cannot be had fails before the build. */
export async function openScanner(
  { by, trivy }: ScannerWish,
  opened: OpenedPorts,
  tools: OpenTools,
): Promise<ImageScanner> {
  if (by === 'ecr' || trivy === undefined) {
    const { ecrScanner } = await import('../aws/ecr-scanner.ts');
    return ecrScanner(async (region) => (await opened.aws(region)).clientConfig);
  }
  const { trivyScanner } = await import('./trivy.ts');
  const cache = tools.environment('RUNNER_TOOL_CACHE') ?? tools.run.temp;
  return trivyScanner(trivy, { cache, folder: opened.folder, env: opened.env }, systemPrograms(), tools.signal);
}

/** A file as the default branch has it: a commit cannot bring its own exceptions. */
export async function readTrusted(
  path: string,
  token: string | undefined,
  tools: OpenTools & { readonly run: { readonly repository: string } },
): Promise<string> {
  const what = `Could not read ${path} of the default branch`;
  if (token === undefined)
    throw new Failure({ what, why: 'token is empty', next: 'Leave token out, so that it is that of the job' });
  const [{ githubClient }, { githubCode }] = await Promise.all([
    import('../github/client.ts'),
    import('../github/code-host.ts'),
  ]);
  const client = githubClient({
    auth: { kind: 'token', token },
    apiUrl: tools.environment('GITHUB_API_URL') ?? 'https://api.github.com',
    repository: tools.run.repository,
    clock: tools.clock,
    mask: tools.mask,
  });
  const text = await githubCode(client).trustedFile(path, tools.signal);
  if (text === undefined)
    throw new Failure({
      what,
      why: 'there is no such file',
      next: 'Commit it to the default branch, or leave scan-ignore out',
    });
  return text;
}
