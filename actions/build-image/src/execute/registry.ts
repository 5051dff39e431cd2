import { seconds } from '../../../../src/domain/duration.ts';
import { Failure } from '../../../../src/domain/failure.ts';
import { type Repository, nameOf } from '../../../../src/domain/image-build/registries.ts';
import type { SemverGrammar } from '../../../../src/domain/tags/context.ts';
import { type Standing, isExact, standing } from '../../../../src/domain/tags/forward.ts';
import type { MadeTag } from '../../../../src/domain/tags/make.ts';
import type { ImageRegistry, StoredManifest } from '../../../../src/ports/image-registry.ts';
import type { RegistryPorts } from './ports.ts';
import { LOOKS } from './verify.ts';
import type { TagsSet } from '../result.ts';

/** Puts what was pushed by its digest under its first tag. */
export async function giveName(
  {
    repository,
    stored,
    tag,
  }: { readonly repository: Repository; readonly stored: StoredManifest; readonly tag: string },
  ports: RegistryPorts,
  signal: AbortSignal,
): Promise<void> {
  ports.onWrite();
  await ports.registry(repository.host).put(repository.path, tag, stored, signal);
}

export interface ForwardTagging {
  readonly repositories: readonly [Repository, ...Repository[]];
  readonly from: Repository;
  readonly stored: StoredManifest;
  readonly plan: { readonly tags: readonly MadeTag[]; readonly left: readonly Standing[] };
  readonly semver: SemverGrammar;
}

/**
 * Sets the tags of a run; floating ones move forward only. Between the look and the write another release may have come,
 * so the list is read again, and what a newer version has by now is given back to it. That one sets its own version before
 * its floating tags, so whichever of both is last, they end there.
 */
export async function setForward(
  { repositories, from, stored, plan, semver }: ForwardTagging,
  ports: RegistryPorts,
  signal: AbortSignal,
): Promise<TagsSet & { readonly changed: 'yes' | 'no' }> {
  const [first] = repositories;
  // Asked only where a tag would move: the list of a large repository has many pages.
  const moves = plan.tags.some((tag) => tag.of !== undefined && (tag.floating !== undefined || tag.name === 'latest'));
  const look = async (): Promise<readonly Standing[]> =>
    moves ? standing(plan.tags, await ports.registry(first.host).tags(first.path, signal), semver) : [];
  const before = await look();
  const tags = plan.tags.map(({ name }) => name).filter((name) => !before.some((each) => each.name === name));
  const exact = plan.tags.filter((tag) => isExact(tag, semver)).map(({ name }) => name);
  const left = [...plan.left, ...before];
  const done = await setTags({ repositories, from, stored, tags, exact, left }, ports, signal);
  if (done.changed === 'no') return done;
  const overtaken = (await look()).filter(({ name }) => tags.includes(name));
  for (const each of overtaken) await giveBack(each, repositories, ports, signal);
  const names = new Set(repositories.flatMap((at) => overtaken.map(({ name }) => `${nameOf(at)}:${name}`)));
  return { ...done, set: done.set.filter((name) => !names.has(name)), left: [...done.left, ...overtaken] };
}

async function giveBack(
  { name, why, newer = '' }: Standing,
  repositories: readonly Repository[],
  ports: RegistryPorts,
  signal: AbortSignal,
): Promise<void> {
  for (const repository of repositories) {
    const registry = ports.registry(repository.host);
    const theirs = await registry.manifest(repository.path, newer, signal);
    // Their copy to this repository is still to come, and sets the tag as well.
    if (theirs === undefined) continue;
    await registry.put(repository.path, name, theirs, signal);
    await readBack(registry, { repository, tag: name, digest: theirs.digest }, ports, signal);
    ports.log.warning(`${nameOf(repository)}:${name} is given back: ${why}`);
  }
}

export interface Tagging {
  readonly repositories: readonly Repository[];
  /** Where the image is. */
  readonly from: Repository;
  readonly stored: StoredManifest;
  readonly tags: readonly string[];
  /** Those that are one version: that such a one moves is told. */
  readonly exact: readonly string[];
  readonly left: readonly Standing[];
}

/** Sets tags by digest, in each repository, and reads each back. Nothing is written under a tag that is right already. */
export async function setTags(
  { repositories, from, stored, tags, exact, left }: Tagging,
  ports: RegistryPorts,
  signal: AbortSignal,
): Promise<TagsSet & { readonly changed: 'yes' | 'no' }> {
  const set: string[] = [];
  const was = new Map<string, string>();
  let changed: 'yes' | 'no' = 'no';
  for (const repository of repositories) {
    const registry = ports.registry(repository.host);
    const isElsewhere = nameOf(repository) !== nameOf(from);
    if (isElsewhere && tags.length > 0) {
      ports.onWrite();
      await copyImage(stored, { from, to: repository }, ports, signal);
    }
    for (const tag of tags) {
      const name = `${nameOf(repository)}:${tag}`;
      const before = await registry.head(repository.path, tag, signal);
      if (before !== stored.digest) {
        ports.onWrite();
        await registry.put(repository.path, tag, stored, signal);
        changed = 'yes';
        await readBack(registry, { repository, tag, digest: stored.digest }, ports, signal);
        ports.log.info(`${name} is ${stored.digest}${before === undefined ? '' : `, was ${before}`}`);
        if (before !== undefined) was.set(name, before);
        if (before !== undefined && exact.includes(tag))
          ports.log.warning(
            `${name} is a version that was released before: it was ${before}, and is another image now`,
          );
      }
      set.push(name);
    }
  }
  return { set, left, was, changed };
}

async function readBack(
  registry: ImageRegistry,
  { repository, tag, digest }: { readonly repository: Repository; readonly tag: string; readonly digest: string },
  { clock }: RegistryPorts,
  signal: AbortSignal,
): Promise<void> {
  let found: string | undefined;
  for (let look = 1; look <= LOOKS; look += 1) {
    found = await registry.head(repository.path, tag, signal);
    if (found === digest) return;
    await clock.sleep(seconds(1), signal);
  }
  throw new Failure({
    what: `${nameOf(repository)}:${tag} is not what was put there`,
    why: `it was set to ${digest}, and the registry says ${found ?? 'that it is not there'}`,
    next: 'Re-run; if it happens again, somebody else sets this tag',
  });
}

interface Ways {
  readonly from: Repository;
  readonly to: Repository;
}

/** Copies blobs, children and the manifest itself, in this order: a registry refuses a manifest whose parts it lacks. */
export async function copyImage(
  stored: StoredManifest,
  { from, to }: Ways,
  ports: RegistryPorts,
  signal: AbortSignal,
): Promise<void> {
  const source = ports.registry(from.host);
  const target = ports.registry(to.host);
  const { manifest } = stored;
  if (manifest.kind === 'image') {
    // One after the other: two copies of a layer that both are new would be moved twice.
    for (const blob of [...manifest.layers, manifest.config])
      await target.copyBlob(to.path, { registry: source, repository: from.path }, blob, signal);
  } else {
    for (const { digest } of manifest.entries) {
      const child = await source.manifest(from.path, digest, signal);
      if (child === undefined)
        throw new Failure({
          what: `Could not copy ${stored.digest}`,
          why: `${digest}, a part of it, is not in ${nameOf(from)}`,
        });
      await copyImage(child, { from, to }, ports, signal);
    }
  }
  await target.put(to.path, stored.digest, stored, signal);
}
