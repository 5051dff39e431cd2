import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { BuildPlan } from '../../../actions/build-image/src/plan.ts';
import { reportOf } from '../../../actions/build-image/src/report.ts';
import type { BuildResult } from '../../../actions/build-image/src/result.ts';
import { readEvidence } from '../../../src/domain/approval/evidence.ts';
import { type RequestWords, bodyOf } from '../../../src/domain/approval/request-text.ts';
import { instant } from '../../../src/domain/duration.ts';
import { type Docker, type Play, hexOf, play } from './played.ts';
import { type More, type Services, startServices } from './services.ts';

/** A limit for a machine that is busy, and no measure. */
jest.setTimeout(60_000);
let services: Services;
beforeAll(async () => {
  services = await startServices();
});
afterAll(() => services.close());

const SPDX = 'https://spdx.dev/Document';
const SLSA = 'https://slsa.dev/provenance/v0.2';
const BUILDER = 'Name:   b\nDriver: docker-container\n\nNodes:\nName: b0\n';
const BASE = `sha256:${hexOf('alpine')}`;
const PROGRESS = `#5 [build 1/2] FROM docker.io/library/golang:1.24@sha256:${hexOf('golang')}\n#6 [stage-1 1/2] FROM docker.io/library/alpine:3.22@${BASE}\n`;

const WORDS: RequestWords = {
  id: '1-1',
  subject: { repository: 'acme/shop', environment: 'production', imagesSha256: hexOf('i'), policySha256: hexOf('p') },
  commit: hexOf('c').slice(0, 40),
  runUrl: 'https://github.com/acme/shop/actions/runs/1',
  images: {},
  evidence: [],
  minimum: 1,
  eligible: [],
  groups: [],
  excluded: [],
  groupReasons: new Map(),
  overriders: [],
  deadline: instant(Date.UTC(2026, 10, 25)),
  code: undefined,
};

function pushedOf(result: BuildResult | undefined): Extract<BuildResult, { readonly kind: 'pushed' | 'reused' }> {
  if (result?.kind === 'pushed') return result;
  throw new Error('nothing was pushed');
}

/** buildx that makes this of what it was asked for. */
const engine =
  (path: string, more: More): Docker =>
  (args, _config, write) => {
    const labels = Object.fromEntries(
      args.flatMap((word, index) => (args[index - 1] === '--label' ? [word.split(/=(.*)/s).slice(0, 2)] : [])),
    ) as Record<string, string>;
    write({ 'containerimage.digest': services.put(path, '', labels, more).digest });
    return { code: 0, stdout: '', stderr: PROGRESS };
  };

const built = (path: string, more: More, given: Omit<Partial<Play>, 'docker'> = {}) =>
  play(services, {
    ...given,
    inputs: { repository: `${services.host}/${path}`, tags: 'type=raw,value=tested', ...given.inputs },
    builder: BUILDER,
    baseLine: { image: 'alpine:3.22', stage: 'stage-1' },
    docker: engine(path, more),
  });

test('the evidence has what the image stands on, as the build found it, and what hangs beside it, as the registry has it', async () => {
  const { result, failure } = await built(
    'evidence/all',
    { attested: [SPDX, SLSA] },
    { inputs: { sbom: 'true', provenance: 'min' } },
  );
  expect(failure).toBe('');
  const { image, evidence } = pushedOf(result);
  const about = image.platforms[0]?.digest;
  expect(evidence).toMatchObject({
    base: { name: 'docker.io/library/alpine:3.22', digest: BASE },
    bases: [{ name: 'docker.io/library/golang:1.24' }, { name: 'docker.io/library/alpine:3.22' }],
    sbom: [{ about, digest: expect.stringMatching(/^sha256:/) }],
    provenance: [{ about, digest: expect.stringMatching(/^sha256:/) }],
  });
  const [sbom] = evidence.sbom;
  const stored = await (await fetch(`${services.url}/v2/evidence/all/blobs/${sbom?.digest}`)).json();
  expect(stored).toMatchObject({ predicateType: SPDX });
});

test('the approvers of a release see it', async () => {
  const played = await built('evidence/seen', { attested: [SPDX] }, { inputs: { sbom: 'true' } });
  const result = pushedOf(played.result);
  const written = { evidenceFile: '/e', evidenceSha256: hexOf('e'), sarif: '', sha256: hexOf, changed: 'yes' } as const;
  const report = reportOf(played.plan as BuildPlan, result, written);
  const evidence = readEvidence(JSON.parse(report.outputs?.['evidence'] ?? ''));
  expect(evidence).toMatchObject({ ok: true });
  const shown = bodyOf({ ...WORDS, ...('value' in evidence ? { evidence: evidence.value } : {}) }, undefined);
  const summary = JSON.stringify(report.summary);
  // Without what keeps a name from being a mention.
  for (const text of [shown.replaceAll(/[\\\u200B]/g, ''), summary]) {
    expect(text).toContain(`docker.io/library/alpine:3.22@${BASE.slice(0, 19)}`);
    expect(text).toContain(`SBOM ${result.evidence.sbom[0]?.digest.slice(0, 19)}`);
  }
  expect(shown).toContain(hexOf('e').slice(0, 12));
});

test.each<[name: string, inputs: Readonly<Record<string, string>>, has: More, missing: RegExp]>([
  ['an SBOM', { sbom: 'true', provenance: 'max' }, { attested: [SLSA] }, /without an SBOM\./],
  ['provenance', { sbom: 'true', provenance: 'max' }, { attested: [SPDX] }, /without provenance\./],
  ['annotations', { annotations: 'a=b\nc=d' }, { annotations: { a: 'b', c: 'another' } }, /without the annotation c\./],
])('what was asked for and dropped on the way is an error: %s', async (name, inputs, has, missing) => {
  const path = `evidence/without-${name.split(' ').at(-1)?.toLowerCase()}`;
  const { result, failure } = await built(path, has, { inputs });
  expect(result).toBeUndefined();
  expect(failure).toMatch(/has not all that was asked for/);
  expect(failure).toMatch(missing);
  expect(services.tag(path, 'tested')).toBeUndefined();
});

test('annotations of several platforms, and those that say their place, are as they were asked for', async () => {
  const platforms = ['linux/amd64', 'linux/arm64'];
  const inputs = { annotations: 'a=b\nindex-descriptor:x=y', platforms: platforms.join('\n') };
  const { failure } = await built('evidence/annotated', { platforms, annotations: { a: 'b' } }, { inputs });
  expect(failure).toBe('');
});

test('an image that this run did not build has the base of its labels, and its documents', async () => {
  const inputs = {
    sbom: 'true',
    labels: `org.opencontainers.image.base.name=alpine\norg.opencontainers.image.base.digest=${BASE}`,
  };
  await built('evidence/again', { attested: [SPDX] }, { inputs });
  const { result } = await built('evidence/again', {}, { inputs });
  expect(result).toMatchObject({
    kind: 'reused',
    evidence: { base: { name: 'alpine', digest: BASE }, bases: null, sbom: [{}] },
  });
});
