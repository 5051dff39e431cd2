import { type Instant, after, between, milliseconds, seconds } from '../../../../src/domain/duration.ts';
import { Failure, messageOf } from '../../../../src/domain/failure.ts';
import { type Repository, nameOf } from '../../../../src/domain/image-build/registries.ts';
import { type IgnoreEntry, readIgnores } from '../../../../src/domain/image-scan/ignore.ts';
import {
  type Finding,
  type ScanResult,
  type ScannedImage,
  judgeScan,
} from '../../../../src/domain/image-scan/judge.ts';
import { parseImage } from '../../../../src/domain/image-reference.ts';
import { type Checked, InvalidInput } from '../../../../src/domain/inputs.ts';
import { CloudFailure, mayPass } from '../../../../src/domain/retry-policy.ts';
import type { Clock } from '../../../../src/ports/clock.ts';
import type { ImageScanner } from '../../../../src/ports/image-scanner.ts';
import type { Log } from '../../../../src/ports/log.ts';
import type { RegistryPorts } from './ports.ts';
import { verify } from './verify.ts';
import type { ScanWish } from '../inputs.ts';
import type { VerifiedPlatform } from '../result.ts';

/** Between two looks; the shortest time after which findings that have come in pieces are believed to be all. */
const EVERY = seconds(15);

export interface ScanPorts {
  readonly scanner: ImageScanner;
  readonly clock: Clock;
  readonly log: Log;
  readonly ignore: readonly IgnoreEntry[];
  /** The image that runs now, and its platforms; undefined: nothing to compare with. */
  readonly production: { readonly repository: Repository; readonly platforms: readonly VerifiedPlatform[] } | undefined;
}

interface Image {
  readonly repository: Repository;
  readonly platforms: readonly VerifiedPlatform[];
}

/** Every platform by its digest: an index cannot be scanned, and a name would give the platform of this machine. Fails closed. */
export async function scan(
  { repository, platforms }: Image,
  { wish, ports }: { readonly wish: ScanWish; readonly ports: ScanPorts },
  signal: AbortSignal,
): Promise<ScanResult> {
  const { scanner, clock, log, production } = ports;
  const deadline = after(clock.now(), wish.timeout);
  const unknown = (why: string): ScanResult => ({ kind: 'unknown', scanner: scanner.name, why });
  try {
    const images = await settledAll({ repository, platforms }, { ports, deadline }, signal);
    const failed = images.find((each) => typeof each === 'string');
    if (typeof failed === 'string') return unknown(failed);
    const now =
      production === undefined ? undefined : await productionFindings(production, { ports, deadline }, signal);
    if (typeof now === 'string') log.warning(`All findings count, because there is nothing to compare with: ${now}`);
    return judgeScan(scanner.name, images as readonly ScannedImage[], {
      max: wish.max,
      counted: wish.counted,
      ignore: ports.ignore,
      production: typeof now === 'string' ? undefined : now,
      now: clock.now(),
    });
  } catch (thrown) {
    signal.throwIfAborted();
    if (!(thrown instanceof Failure)) throw thrown;
    return unknown(thrown.message.replace(/\.$/, ''));
  }
}

/**
 * What runs now: the digest, or that of the tag which its promotion sets, read once so that a promotion beside this run
 * changes nothing. Its platforms are those of its manifest. A tag that is not there is one of a first release.
 */
export async function productionOf(
  reference: string,
  ports: RegistryPorts,
  signal: AbortSignal,
): Promise<ScanPorts['production']> {
  const parsed = parseImage(reference, 'compare-image');
  if (!parsed.ok) throw new InvalidInput('The inputs of build-image', parsed.problems);
  const { registry: host = 'docker.io', repository: path, tag = '' } = parsed.value;
  const repository = { host, path };
  const digest = parsed.value.digest ?? (await ports.registry(host).head(path, tag, signal));
  if (digest === undefined) {
    ports.log.warning(`All findings count: ${reference} is not there, so that there is nothing to compare with`);
    return undefined;
  }
  const { image } = await verify({ repository, reference: digest, digest, platforms: [] }, ports, signal);
  ports.log.info(`Only findings count that ${nameOf(repository)}@${digest} does not have`);
  return { repository, platforms: image.platforms };
}

/** The accepted findings. `parse` reads YAML and knows where an entry stands. */
export async function ignoresOf(
  path: string | undefined,
  {
    read,
    parse,
    now,
  }: {
    readonly read: (path: string) => Promise<string>;
    readonly parse: (text: string, path: string) => Checked<ReadYaml>;
    readonly now: Instant;
  },
): Promise<readonly IgnoreEntry[]> {
  if (path === undefined) return [];
  const yaml = parse(await read(path), path);
  if (!yaml.ok) throw new InvalidInput(`The accepted findings of ${path}`, yaml.problems);
  const { value, where } = yaml.value;
  const entries = readIgnores(value, now, (index) => (index < 0 ? path : where([index])));
  if (!entries.ok) throw new InvalidInput(`The accepted findings of ${path}`, entries.problems);
  return entries.value;
}

interface ReadYaml {
  readonly value: unknown;
  where(path: readonly (string | number)[]): string;
}

interface Waiting {
  readonly ports: ScanPorts;
  readonly deadline: Instant;
}

async function productionFindings(
  { repository, platforms }: Image,
  waiting: Waiting,
  signal: AbortSignal,
): Promise<readonly Finding[] | string> {
  const images = await settledAll({ repository, platforms }, waiting, signal);
  const failed = images.find((each) => typeof each === 'string');
  return failed ?? (images as readonly ScannedImage[]).flatMap(({ findings }) => findings);
}

/**
 * Findings that are waited for are waited for side by side. A scanner that runs here goes from one to the next: two of Trivy
 * lock each other out of its cache.
 */
async function settledAll(
  { repository, platforms }: Image,
  waiting: Waiting,
  signal: AbortSignal,
): Promise<readonly (ScannedImage | string)[]> {
  if (waiting.ports.scanner.answers !== 'final')
    return Promise.all(platforms.map((each) => settled(repository, each, waiting, signal)));
  const images: (ScannedImage | string)[] = [];
  for (const each of platforms) images.push(await settled(repository, each, waiting, signal));
  return images;
}

/** The findings of one platform, once they stand; text says why there are none to be had. */
async function settled(
  repository: Repository,
  { platform, digest }: VerifiedPlatform,
  { ports: { scanner, clock, log }, deadline }: Waiting,
  signal: AbortSignal,
): Promise<ScannedImage | string> {
  const where = `${nameOf(repository)}@${digest} (${platform})`;
  let before: { readonly text: string; readonly at: Instant } | undefined;
  for (let look = 1; ; look += 1) {
    let why: string;
    try {
      const state = await scanner.look({ ...repository, digest, platform }, signal);
      if (state.kind === 'failed') return `${where}: ${state.why}`;
      if (state.kind === 'findings') {
        const { findings, completedAt, pushedAt } = state;
        if (scanner.answers === 'final') return { digest, platform, findings };
        const text = JSON.stringify(
          findings.map(({ id, package: name, version }) => `${id} ${name} ${version}`).sort(),
        );
        const isOfThisPush = completedAt !== undefined && (pushedAt === undefined || completedAt >= pushedAt);
        const stands = text === before?.text && between(before.at, clock.now()) >= EVERY;
        if (isOfThisPush && stands) return { digest, platform, findings };
        // COMPLETE without findings was seen seconds before they came: two equal looks make a verdict.
        if (before?.text !== text) before = isOfThisPush ? { text, at: clock.now() } : undefined;
        why = isOfThisPush ? `${findings.length} findings, not yet confirmed` : 'the scan is older than the image';
      } else {
        before = undefined;
        why = state.why;
      }
    } catch (thrown) {
      signal.throwIfAborted();
      if (!(thrown instanceof CloudFailure) || !mayPass(thrown.kind)) throw thrown;
      why = messageOf(thrown);
    }
    const left = between(clock.now(), deadline);
    if (left <= 0) return `${where}: ${why} when the time was up`;
    if (look === 1) log.info(`Waiting for the findings of ${where}: ${why}`);
    await clock.sleep(milliseconds(Math.min(EVERY, left)), signal);
  }
}
