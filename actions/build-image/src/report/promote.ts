import { canonicalJson } from '../../../../src/domain/canonical-json.ts';
import { nameOf } from '../../../../src/domain/image-build/registries.ts';
import type { Report } from '../../../../src/domain/report.ts';
import type { PromoteRequest } from '../inputs.ts';
import type { TagPlan } from '../plan.ts';
import { NOTHING, tagTable } from '../report.ts';
import type { Promoted } from '../result.ts';

const wanted = ({ repositories }: PromoteRequest, { tags }: TagPlan): readonly string[] =>
  repositories.flatMap((repository) => tags.map(({ name }) => `${nameOf(repository)}:${name}`));

export function plannedPromotion(request: PromoteRequest, plan: TagPlan): Report {
  const names = wanted(request, plan);
  return {
    conclusion: 'success',
    outcome: 'planned',
    headline: `Would give ${nameOf(request.source)}@${request.source.digest} the names ${names.join(', ')}`,
    changed: false,
    outputs: { ...NOTHING, tags: names.join('\n'), digest: request.source.digest, version: plan.version ?? '' },
    summary: [
      { kind: 'heading', text: 'build-image: plan of a promotion' },
      { kind: 'verbatim', text: names.join('\n') },
    ],
  };
}

export function promotedReport(
  { request, plan }: { readonly request: PromoteRequest; readonly plan: TagPlan },
  { image, tags }: Promoted,
  sha256: (text: string) => string,
): Report {
  const [first] = request.repositories;
  const [tag = request.source.digest] = plan.tags.map(({ name }) => name);
  const images = canonicalJson({ [request.name]: { repository: first.path, digest: image.digest, tag } });
  const headline = `${tags.changed === 'yes' ? 'Promoted' : 'Nothing to promote:'} ${nameOf(request.source)}@${image.digest} is ${tags.set.join(', ')}`;
  return {
    conclusion: 'success',
    outcome: tags.changed === 'yes' ? 'promoted' : 'unchanged',
    headline,
    changed: tags.changed === 'yes',
    outputs: {
      ...NOTHING,
      tags: tags.set.join('\n'),
      version: plan.version ?? '',
      digest: image.digest,
      kind: image.kind,
      platforms: JSON.stringify(Object.fromEntries(image.platforms.map(({ platform, digest }) => [platform, digest]))),
      images,
      'images-sha256': sha256(images),
      'pinned-tag': `${tag}@${image.digest}`,
    },
    summary: [{ kind: 'heading', text: headline }, tagTable(tags)],
  };
}
