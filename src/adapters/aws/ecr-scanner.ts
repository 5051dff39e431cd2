import {
  DescribeImageScanFindingsCommand,
  type DescribeImageScanFindingsCommandOutput,
  DescribeImagesCommand,
  ECRClient,
  StartImageScanCommand,
} from '@aws-sdk/client-ecr';
import { instant } from '../../domain/duration.ts';
import { type EcrBasicFinding, type EcrEnhancedFinding, findingsOf, statusKind } from '../../domain/image-scan/ecr.ts';
import { registryKind } from '../../domain/image-build/registries.ts';
import { CloudFailure, mayPass } from '../../domain/retry-policy.ts';
import type { ImageScanner, ScanState } from '../../ports/image-scanner.ts';
import type { ClientConfig } from './client-config.ts';
import { callAws } from './errors.ts';

/** Findings of ECR, basic and enhanced. The SDK's waiter is not used: of a continuous scan it never comes back. */
export function ecrScanner(configOf: (region: string) => Promise<ClientConfig>): ImageScanner {
  /** Why none could be started, by digest; empty: one was. */
  const started = new Map<string, string>();
  return {
    name: 'ECR',
    answers: 'eventual',
    async look(image, signal) {
      const kind = registryKind(image.host);
      if (kind.kind !== 'ecr') return { kind: 'failed', why: `${image.host} is not a registry of ECR` };
      const config = { ...(await configOf(kind.region)), region: kind.region };
      const client = new ECRClient(config);
      const place = { registryId: kind.account, repositoryName: image.path, imageId: { imageDigest: image.digest } };
      try {
        return await read(client, place, signal);
      } catch (thrown) {
        if (!(thrown instanceof CloudFailure) || thrown.kind !== 'not-found') throw thrown;
        const refused = started.get(image.digest) ?? (await start(config, place, signal));
        if (refused !== 'ask again') started.set(image.digest, refused);
        return {
          kind: 'pending',
          why: `ECR has no scan of it yet${refused === '' || refused === 'ask again' ? '' : `, and ${refused}`}`,
        };
      } finally {
        client.destroy();
      }
    },
  };

  async function read(client: ECRClient, place: Place, signal: AbortSignal): Promise<ScanState> {
    const what = `Could not read the findings of ${place.repositoryName}@${place.imageId.imageDigest}`;
    const basic: EcrBasicFinding[] = [];
    const enhanced: EcrEnhancedFinding[] = [];
    let last: DescribeImageScanFindingsCommandOutput;
    let nextToken: string | undefined;
    do {
      const command = new DescribeImageScanFindingsCommand({
        ...place,
        ...(nextToken === undefined ? {} : { nextToken }),
      });
      last = await callAws({ action: 'ecr:DescribeImageScanFindings', what }, signal, () =>
        client.send(command, { abortSignal: signal }),
      );
      basic.push(...((last.imageScanFindings?.findings ?? []) as EcrBasicFinding[]));
      enhanced.push(...((last.imageScanFindings?.enhancedFindings ?? []) as EcrEnhancedFinding[]));
      nextToken = last.nextToken;
    } while (nextToken !== undefined);
    const { status, description } = last.imageScanStatus ?? {};
    const said = `${status ?? 'no status'}${description ? `: ${description}` : ''}`;
    const kind = statusKind(status);
    if (kind !== 'done') return { kind, why: `ECR says ${said}` };
    const completed = last.imageScanFindings?.imageScanCompletedAt;
    const pushed = await pushedAt(client, place, signal);
    return {
      kind: 'findings',
      findings: findingsOf({ findings: basic, enhancedFindings: enhanced }),
      ...(completed === undefined ? {} : { completedAt: instant(completed.getTime()) }),
      ...(pushed === undefined ? {} : { pushedAt: instant(pushed.getTime()) }),
    };
  }
}

interface Place {
  readonly registryId: string;
  readonly repositoryName: string;
  readonly imageId: { readonly imageDigest: string };
}

async function pushedAt(
  client: ECRClient,
  { imageId, ...place }: Place,
  signal: AbortSignal,
): Promise<Date | undefined> {
  const what = `Could not describe ${place.repositoryName}@${imageId.imageDigest}`;
  const answer = await callAws({ action: 'ecr:DescribeImages', what }, signal, () =>
    client.send(new DescribeImagesCommand({ ...place, imageIds: [imageId] }), { abortSignal: signal }),
  );
  return answer.imageDetails?.[0]?.imagePushedAt;
}

/**
 * For repositories without scan on push. One scan in 24 h is the limit, an enhanced registry takes none at all, and a role
 * may do without the right where every push is scanned: the findings are waited for all the same, and what was refused is
 * said when they do not come. An image that cannot be scanned is not waited for. A client of its own, because the SDK takes
 * the limit for a throttle and repeats it.
 */
async function start(config: ClientConfig, place: Place, signal: AbortSignal): Promise<string> {
  const client = new ECRClient({ ...config, maxAttempts: 1 });
  const what = `Could not start a scan of ${place.repositoryName}@${place.imageId.imageDigest}`;
  try {
    await callAws({ action: 'ecr:StartImageScan', what }, signal, () =>
      client.send(new StartImageScanCommand(place), { abortSignal: signal }),
    );
    return '';
  } catch (thrown) {
    if (!(thrown instanceof CloudFailure) || thrown.kind === 'not-found') throw thrown;
    if (mayPass(thrown.kind)) return 'ask again';
    if ((thrown.cause as { name?: string } | undefined)?.name === 'UnsupportedImageTypeException') throw thrown;
    return `none could be started (${thrown.facts.why ?? thrown.message})`;
  } finally {
    client.destroy();
  }
}
