import { Failure } from '../../domain/failure.ts';
import { type Repository, nameOf, registryKind } from '../../domain/image-build/registries.ts';
import type { ImageShelf } from '../../ports/image-shelf.ts';
import type { OpenTools, OpenedPorts } from './open-ports.ts';

interface ShelfTools extends OpenTools {
  readonly run: OpenTools['run'] & { readonly repository: string };
  readonly token: string | undefined;
}

/** The images of one repository of ECR or GHCR. */
export async function openShelf(repository: Repository, opened: OpenedPorts, tools: ShelfTools): Promise<ImageShelf> {
  const kind = registryKind(repository.host);
  if (kind.kind === 'ecr') {
    const { ecrShelf } = await import('../aws/ecr-shelf.ts');
    const session = await opened.aws(kind.region);
    return ecrShelf({ account: kind.account, region: kind.region, name: repository.path }, session.clientConfig);
  }
  if (tools.token === undefined)
    throw new Failure({
      what: `Could not clean up ${nameOf(repository)}`,
      why: 'token is empty',
      next: 'Leave token out, so that it is that of the job',
    });
  const [{ githubClient }, { packageShelf }] = await Promise.all([
    import('../github/client.ts'),
    import('../github/image-shelf.ts'),
  ]);
  const client = githubClient({
    auth: { kind: 'token', token: tools.token },
    apiUrl: tools.environment('GITHUB_API_URL') ?? 'https://api.github.com',
    repository: tools.run.repository,
    clock: tools.clock,
    mask: tools.mask,
  });
  return packageShelf(repository.path, { client, registry: opened.ports.registry(repository.host) });
}
