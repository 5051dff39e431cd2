import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { type BundleRun, runBundle } from '../../harness/run-bundle.ts';
import { ROOT } from '../../rules/tracked.ts';
import { type AwsAnswer, ECR_HOST, type Services, startServices } from './services.ts';

/** Several processes a test; a limit for a machine that is busy, and no measure. */
jest.setTimeout(150_000);
const NOW = Date.UTC(2026, 10, 25, 12);
const DAY = 86_400;
const HEX = (number: number): string => `sha256:${number.toString(16).padStart(64, '0')}`;
const EXAMPLE = 'examples/hft-platform/.github/workflows/clean-up.yml';

let services: Services;
beforeAll(async () => {
  services = await startServices();
});
afterAll(() => services.close());

const start = (inputs: Readonly<Record<string, string>>) => {
  const run: BundleRun = {
    action: 'build-image',
    inputs: { mode: 'cleanup', token: 'ghs_test', ...inputs },
    env: { ...services.env, SLUICE_TIMER_SCALE: '1' },
    clock: { lockStepFrom: NOW },
  };
  return runBundle(run);
};

describe('the clean-up of ECR', () => {
  /** A repository of this many images, a day apart; `held` is one that ECR keeps. */
  function ecrHas(count: number, held: readonly string[] = []) {
    const there = new Map(Array.from({ length: count }, (_, age) => [HEX(age), age] as const));
    const batches: number[] = [];
    services.aws = (operation, body): AwsAnswer => {
      if (operation === 'DescribeImages') {
        const imageDetails = [...there].map(([imageDigest, age]) => ({
          imageDigest,
          imageTags: [`build-${age}`],
          imagePushedAt: NOW / 1_000 - age * DAY,
        }));
        return { body: { imageDetails } };
      }
      if (operation !== 'BatchDeleteImage')
        return { status: 400, body: { __type: 'AccessDeniedException', message: operation } };
      const { imageIds } = body as { imageIds: readonly { imageDigest: string }[] };
      batches.push(imageIds.length);
      const failures = imageIds.filter(({ imageDigest }) => held.includes(imageDigest));
      for (const { imageDigest } of imageIds) if (!held.includes(imageDigest)) there.delete(imageDigest);
      const failed = { failureCode: 'ImageReferencedByManifestList', failureReason: 'held' };
      return { body: { failures: failures.map((imageId) => ({ imageId, ...failed })) } };
    };
    return { there, batches };
  }
  const inputs = { repository: `${ECR_HOST}/team/web`, 'keep-images': '3', 'older-than': '5d', 'keep-tags': 'build-7' };

  test('a dry run prints exactly what a run then removes, and removes nothing', async () => {
    const ecr = ecrHas(12);
    const planned = await start({ ...inputs, 'dry-run': 'true' });
    expect(planned).toMatchObject({
      exitCode: 0,
      outputs: { outcome: 'planned', 'removed-images': '0', changed: 'false' },
    });
    expect(ecr.batches).toEqual([]);
    const listed = [...new Set(planned.summary.match(/sha256:[0-9a-f]{64}/g))].sort();
    const running = JSON.stringify({ web: { repository: 'team/web', digest: HEX(9), tag: 'build-9' } });
    const all = [...ecr.there.keys()];
    const cleaned = await start(inputs);
    expect(cleaned).toMatchObject({
      exitCode: 0,
      outputs: { outcome: 'cleaned', 'removed-images': '6', changed: 'true' },
    });
    expect(all.filter((digest) => !ecr.there.has(digest)).sort()).toEqual(listed);
    expect([...ecr.there.keys()]).toEqual([0, 1, 2, 3, 4, 7].map(HEX));
    const kept = ecrHas(12);
    await start({ ...inputs, images: running });
    expect([...kept.there.keys()]).toEqual([0, 1, 2, 3, 4, 7, 9].map(HEX));
  });

  test('removes a hundred a call; one that ECR keeps makes it red, and is named', async () => {
    const ecr = ecrHas(130, [HEX(120)]);
    const cleaned = await start({ ...inputs, 'keep-tags': 'none' });
    expect(cleaned).toMatchObject({ exitCode: 1, outputs: { outcome: 'cleaned', 'removed-images': '124' } });
    expect(ecr.batches).toEqual([100, 25]);
    expect(cleaned.summary).toContain(`${HEX(120)}: ImageReferencedByManifestList: held`);
  });

  test('a missing right is named, and that nothing was removed', async () => {
    services.aws = () => ({ status: 400, body: { __type: 'AccessDeniedException', message: 'no' } });
    const refused = await start(inputs);
    expect(refused).toMatchObject({ exitCode: 1, outputs: { outcome: 'failed', changed: 'false' } });
    expect(refused.stdout).toMatch(/access denied for ecr:DescribeImages/);
  });
});

describe('the clean-up of ghcr.io', () => {
  const example = parse(readFileSync(join(ROOT, EXAMPLE), 'utf8')) as {
    jobs: { 'clean-up': { steps: readonly [{ with: Readonly<Record<string, unknown>> }] } };
  };
  /** The versions of a package, by name, the newest first; those that were removed are listed no more. */
  function packageHas(name: string, tagged: Readonly<Record<string, readonly string[]>>) {
    const path = `/orgs/hft-platform/packages/container/${name}/versions`;
    const all = Object.entries(tagged).map(([digest, tags], index) => ({
      id: index + 1,
      name: digest,
      created_at: new Date(NOW - (40 + index) * DAY * 1_000).toISOString(),
      metadata: { container: { tags } },
    }));
    const isGone = (id: number): boolean => services.calls.includes(`DELETE ${path}/${id}`);
    const answer = (call: string) => {
      if (call.startsWith(`DELETE ${path}/`)) return { status: 204 };
      return call === `GET ${path}` ? { status: 200, body: all.filter(({ id }) => !isGone(id)) } : undefined;
    };
    return { answer, gone: () => all.filter(({ id }) => isGone(id)).map(({ name: digest }) => digest) };
  }

  test('the weekly run of hft-platform keeps of both services what is tagged for keeping, its parts, and what hangs on it', async () => {
    const { 'dry-run': _expression, token: _token, ...given } = example.jobs['clean-up'].steps[0].with;
    const filled = (name: string) => {
      const path = `hft-platform/${name}`;
      const released = services.put(path, 'v1.0', { path }, { platforms: ['linux/amd64', 'linux/arm64'] });
      const attestation = services.hangOn(path, released.parts[0] ?? '');
      const old = Array.from({ length: 25 }, (_, index) => services.put(path, `sha-${index}`, { path, at: `${index}` }).digest);
      const loose = services.put(path, 'moved', { path, lost: 'its tag' }).digest;
      const untagged = [...released.parts, attestation].map((digest) => [digest, []] as const);
      const tags = old.map((digest, index) => [digest, [`x${index}`]] as const);
      const has = Object.fromEntries([[released.digest, ['v1.0']], ...untagged, ...tags, [loose, []]]) as Record<string, readonly string[]>;
      return { ...packageHas(name, has), removed: [...old.slice(19), loose] };
    };
    const packages = [filled('frontend'), filled('api')];
    services.calls.splice(0);
    services.github = new Proxy(
      {},
      { get: (_, call: string) => packages.map(({ answer }) => answer(call)).find((each) => each !== undefined) },
    );
    const inputs = Object.fromEntries(Object.entries(given).map(([name, value]) => [name, String(value)]));
    const cleaned = await start(inputs);
    // 20 of the newest stay, the released index among them; its parts are no images of their own.
    expect(cleaned).toMatchObject({ exitCode: 0, outputs: { outcome: 'cleaned', 'removed-images': '14' } });
    for (const { gone, removed } of packages) expect(gone().sort()).toEqual([...removed].sort());
  }); // prettier-ignore
});
