import { canonicalJson } from '../../../src/domain/canonical-json.ts';
import { nameOf } from '../../../src/domain/image-build/registries.ts';
import type { AttachedDocument, EvidenceDocument } from '../../../src/domain/image-build/evidence.ts';
import { ignoreLine } from '../../../src/domain/image-scan/ignore.ts';
import { type ScanResult, scanLine } from '../../../src/domain/image-scan/judge.ts';
import type { Annotation, Report, Section } from '../../../src/domain/report.ts';
import { unreachable } from '../../../src/domain/unreachable.ts';
import { type BuildPlan, planLines } from './plan.ts';
import type { BuildResult, TagsSet, VerifiedImage } from './result.ts';

export const NOTHING = {
  tags: '',
  labels: '',
  annotations: '',
  json: '',
  version: '',
  commit: '',
  'release-id': '',
  digest: '',
  kind: '',
  platforms: '',
  size: '',
  images: '',
  'images-sha256': '',
  'pinned-tag': '',
  evidence: '',
  'evidence-file': '',
  sarif: '',
  'scan-verdict': '',
  'removed-images': '',
} as const satisfies Record<string, string>;

export interface Written {
  readonly evidenceFile: string;
  readonly evidenceSha256: string;
  /** Empty: no scan. */
  readonly sarif: string;
  readonly sha256: (text: string) => string;
  /** Digest that the first tag had before, and the like: whether anything outside is another than before. */
  readonly changed: 'yes' | 'no';
}

/** Known without an engine and a registry. */
function planned(plan: BuildPlan): Record<keyof typeof NOTHING, string> {
  const { request, identity, tags, git, build, releaseId, version = '' } = plan;
  const names = request.repositories.flatMap((repository) => tags.map(({ name }) => `${nameOf(repository)}:${name}`));
  const whole = [`${nameOf(request.repositories[0])}:${identity}`, ...names];
  const lines = (pairs: Readonly<Record<string, string>>): string =>
    Object.entries(pairs)
      .map(([key, value]) => `${key}=${value}`)
      .join('\n');
  return {
    ...NOTHING,
    tags: whole.join('\n'),
    labels: lines(build.labels),
    annotations: lines(build.annotations),
    json: JSON.stringify({ tags: whole, labels: build.labels, annotations: build.annotations, version }),
    version,
    commit: git.sha,
    'release-id': releaseId,
  };
}

export function plannedReport(plan: BuildPlan): Report {
  const lines = planLines(plan);
  return {
    conclusion: 'success',
    outcome: 'planned',
    headline: `Would build ${nameOf(plan.request.repositories[0])} with ${plan.tags.length + 1} tags, version ${plan.version ?? 'none'}`,
    changed: false,
    outputs: planned(plan),
    summary: [
      { kind: 'heading', text: 'build-image: plan' },
      { kind: 'verbatim', text: lines.join('\n') },
    ],
  };
}

export function reportOf(plan: BuildPlan, result: BuildResult, written: Written): Report {
  switch (result.kind) {
    case 'built-only':
      return {
        conclusion: 'success',
        outcome: 'built',
        headline: `Built ${nameOf(plan.request.repositories[0])}, not pushed (${result.engine})`,
        changed: false,
        outputs: { ...planned(plan), tags: '', json: '' },
        summary: [{ kind: 'heading', text: 'build-image: built, not pushed' }],
      };
    case 'pushed':
    case 'reused': {
      const { image, identity, tags, scan } = result;
      const word = result.kind === 'pushed' ? 'Built and pushed' : 'Found, without a build,';
      const headline = `${word} ${nameOf(plan.request.repositories[0])}@${image.digest} (${image.kind}, ${image.platforms.length} platform(s), ${megabytes(image)} MB)`;
      const [entry] = evidenceList(plan, result, written);
      return {
        conclusion: 'success',
        outcome: result.kind,
        headline,
        changed: written.changed === 'yes',
        outputs: {
          ...pushedOutputs(plan, result, written),
          tags: [`${nameOf(plan.request.repositories[0])}:${identity}`, ...tags.set].join('\n'),
        },
        summary: [
          { kind: 'heading', text: headline },
          ...sectionsOf(plan, result),
          tagTable(tags),
          { kind: 'text', text: `Evidence: \`${written.evidenceFile}\`, sha256 ${entry?.sha256 ?? ''}.` },
        ],
        annotations: scanAnnotations(scan),
      };
    }
    case 'blocked': {
      const { image, identity, scan } = result;
      const headline = `Blocked ${nameOf(plan.request.repositories[0])}@${image.digest}: ${scanLine(scan)}. It is there as ${identity}, and no tag was set`;
      const {
        images: _images,
        'images-sha256': _hash,
        'pinned-tag': _pinned,
        ...outputs
      } = pushedOutputs(plan, result, written);
      return {
        conclusion: 'failure',
        outcome: scan.kind === 'unknown' ? 'scan-unknown' : 'blocked',
        headline,
        changed: written.changed === 'yes',
        // Without `images`, so that nothing after this can deploy it by mistake.
        outputs: { ...NOTHING, ...outputs, tags: `${nameOf(plan.request.repositories[0])}:${identity}` },
        summary: [{ kind: 'heading', text: headline }, ...sectionsOf(plan, result)],
        annotations: scanAnnotations(scan),
      };
    }
    default:
      return unreachable(result);
  }
}

type Pushed = Exclude<BuildResult, { readonly kind: 'built-only' }>;

function pushedOutputs(plan: BuildPlan, result: Pushed, written: Written) {
  const { identity, image, scan } = result;
  const { request } = plan;
  const images = canonicalJson({
    [request.name]: { repository: request.repositories[0].path, digest: image.digest, tag: identity },
  });
  return {
    ...planned(plan),
    digest: image.digest,
    kind: image.kind,
    platforms: JSON.stringify(Object.fromEntries(image.platforms.map(({ platform, digest }) => [platform, digest]))),
    size: String(image.platforms.reduce((most, { size }) => Math.max(most, size), 0)),
    images,
    'images-sha256': written.sha256(images),
    'pinned-tag': `${identity}@${image.digest}`,
    evidence: JSON.stringify(evidenceList(plan, result, written)),
    'evidence-file': written.evidenceFile,
    sarif: written.sarif,
    'scan-verdict': scan?.kind ?? '',
  };
}

/** As approval-gate takes it. */
function evidenceList(plan: BuildPlan, { image, scan, evidence }: Pushed, { evidenceSha256 }: Written) {
  const verdict = scan === undefined || scan.kind === 'pass' ? 'pass' : scan.kind === 'fail' ? 'fail' : 'warn';
  const built = `${image.digest.slice(0, 19)}, ${image.platforms.map(({ platform }) => platform).join(', ')}, ${megabytes(image)} MB`;
  return [
    {
      name: `build ${plan.request.name}`,
      verdict,
      summary: [built, standsOn(evidence), scan === undefined ? 'not scanned' : scanLine(scan)].join('; '),
      sha256: evidenceSha256,
    },
  ];
}

const short = (digest: string): string => digest.slice(0, 19);

/** What is under the image and beside it, in one line. */
function standsOn({ base, sbom, provenance }: EvidenceDocument): string {
  const beside = (word: string, [first]: readonly AttachedDocument[]): readonly string[] =>
    first === undefined ? [] : [`${word} ${short(first.digest)}`];
  const under = base === null ? 'no base image is known' : `base ${base.name}@${short(base.digest)}`;
  return [under, ...beside('SBOM', sbom), ...beside('provenance', provenance)].join(', ');
}

const megabytes = ({ platforms }: VerifiedImage): string =>
  (platforms.reduce((most, { size }) => Math.max(most, size), 0) / 1e6).toFixed(1);

function sectionsOf(plan: BuildPlan, { identity, image, scan, evidence }: Pushed): readonly Section[] {
  return [
    {
      kind: 'table',
      columns: ['Platform', 'Digest', 'Size'],
      rows: image.platforms.map(({ platform, digest, size }) => [platform, digest, `${(size / 1e6).toFixed(1)} MB`]),
    },
    {
      kind: 'text',
      text: `Identity \`${identity}\`, version \`${plan.version ?? identity}\`, commit \`${plan.git.sha}\`, release \`${plan.releaseId}\`.`,
    },
    { kind: 'text', text: `What the image is made of: ${standsOn(evidence)}.` },
    ...(scan === undefined ? [] : scanSections(scan)),
  ];
}

function scanSections(scan: ScanResult): readonly Section[] {
  if (scan.kind === 'unknown') return [{ kind: 'text', text: `Scan: ${scanLine(scan)}.` }];
  const lines = scan.ignores.map(ignoreLine).filter((line) => line !== undefined);
  return [
    { kind: 'text', text: `Scan: ${scanLine(scan)}.` },
    {
      kind: 'table',
      columns: ['Severity', 'Finding', 'Package', 'Fixed in', 'Platforms', 'Counts'],
      rows: scan.findings
        .slice(0, 200)
        .map((each) => [
          each.severity,
          each.id,
          `${each.package} ${each.version}`,
          each.fixedIn ?? '',
          each.platforms.join(', '),
          each.counts,
        ]),
    },
    ...(lines.length === 0 ? [] : [{ kind: 'verbatim', text: lines.join('\n') } as const]),
  ];
}

export function tagTable({ set, left, was }: TagsSet): Section {
  const before = (name: string): string => (was.has(name) ? `, was ${was.get(name)}` : '');
  return {
    kind: 'table',
    columns: ['Tag', 'What'],
    rows: [
      ...set.map((name) => [name, `set and read back${before(name)}`]),
      ...left.map(({ name, why }) => [name, `left: ${why}`]),
    ],
  };
}

function scanAnnotations(scan: ScanResult | undefined): readonly Annotation[] {
  if (scan === undefined) return [];
  if (scan.kind === 'unknown') return [{ level: 'warning', title: 'Scan', message: scanLine(scan) }];
  return scan.ignores
    .map(ignoreLine)
    .filter((line) => line !== undefined)
    .map((message) => ({ level: 'warning', title: 'Accepted findings', message }));
}
