import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from '../../harness/needs.ts';
import {
  ECR,
  type EcrStage,
  IDENTITY,
  type StageRun,
  basic,
  completed,
  denied,
  enhanced,
  openEcrStage,
  status,
} from './ecr-stage.ts';

const MINUTE = 60_000;

needs('engine')('the scan gate, as a step of a job', () => {
  let stage: EcrStage;
  beforeAll(async () => {
    stage = await openEcrStage();
  }, MINUTE);
  afterAll(() => stage.close());

  /** Seeds an image of its own and runs the step with what ECR says of it. */
  const scanned = async (name: string, says: StageRun['scans'][string], more: Omit<StageRun, 'scans'> = {}) => {
    const repository = `team/${name}`;
    const { digest } = await stage.seed(repository);
    const run = await stage.run(repository, { ...more, scans: { [digest]: says } });
    return { run, digest, tag: await stage.tagOf(repository, 'main') };
  };

  test('findings above a limit block: no tag, no images, and everything says why', async () => {
    const { run, digest, tag } = await scanned('blocked', [
      basic(['CVE-2026-1', 'CRITICAL'], ['CVE-2026-2', 'HIGH'], ['CVE-2026-3', 'LOW']),
    ]);
    expect(run).toMatchObject({
      exitCode: 1,
      outputs: { outcome: 'blocked', changed: 'false', images: '', digest, 'scan-verdict': 'fail' },
    });
    expect(tag).toBeNull();
    expect(await stage.tagOf('team/blocked', IDENTITY)).toBe(digest);
    expect(run.annotations[0]?.message).toMatch(/ECR: 1 critical, 1 high.*critical 1 > 0, high 1 > 0.*no tag was set/s);
    expect(run.summary).toMatch(/critical \| CVE-2026-1 \| openssl 3.0/);
    expect(run.file(run.outputs['evidence-file'])).toMatchObject({
      digest,
      tags: [],
      scan: { scanner: 'ECR', verdict: 'fail', counted: { critical: 1, high: 1, low: 1 } },
    });
    expect(JSON.parse(run.outputs['evidence'] ?? '[]')).toMatchObject([{ verdict: 'fail' }]);
  });

  test('the file of findings is SARIF 2.1.0 with a rule for each result', async () => {
    const { run } = await scanned('sarif', [basic(['CVE-2026-1', 'CRITICAL'], ['CVE-2026-3', 'MEDIUM'])], {
      inputs: { 'scan-max': '{ critical: 1 }' },
    });
    const sarif = run.file(run.outputs['sarif']) as {
      version: string;
      runs: [
        {
          tool: { driver: { name: string; rules: { id: string; properties: Record<string, unknown> }[] } };
          results: { ruleId: string; level: string; message: { text: string }; locations: object[] }[];
        },
      ];
    };
    expect(sarif.version).toBe('2.1.0');
    const [{ tool, results }] = sarif.runs;
    expect(tool.driver.rules.map(({ id, properties }) => [id, properties['security-severity']])).toEqual([
      ['CVE-2026-1', '9.5'],
      ['CVE-2026-3', '5.5'],
    ]);
    expect(results.map(({ ruleId, level }) => [ruleId, level])).toEqual([
      ['CVE-2026-1', 'error'],
      ['CVE-2026-3', 'warning'],
    ]);
    expect(results[0]).toMatchObject({
      message: { text: expect.stringContaining(`${ECR}/team/sarif@sha256:`) },
      locations: [{ physicalLocation: { artifactLocation: { uri: 'Dockerfile' } } }],
    });
  });

  test.each<[name: string, says: StageRun['scans'][string], inputs: Readonly<Record<string, string>>]>([
    ['findings-within-the-limits', [basic(['CVE-1', 'MEDIUM'])], { 'scan-max': '{ critical: 0, high: 0, medium: 1 }' }],
    ['no-findings-in-two-looks', [status('IN_PROGRESS'), completed({ findings: [] })], {}],
    ['enhanced-without-a-fix', [enhanced(['CVE-2', 'HIGH', 'NO'])], { 'scan-only-fixed': 'true' }],
  ])('passes %s, and sets the tags', async (name, says, inputs) => {
    const { run, digest, tag } = await scanned(name, says, { inputs });
    expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'reused', changed: 'true', 'scan-verdict': 'pass' } });
    expect(tag).toBe(digest);
  });

  test.each<[name: string, says: StageRun['scans'][string], inputs: Readonly<Record<string, string>>]>([
    ['enhanced-with-a-fix', [enhanced(['CVE-2', 'HIGH', 'YES'])], { 'scan-only-fixed': 'true' }],
    ['basic-that-does-not-say-whether-there-is-a-fix', [basic(['CVE-2', 'HIGH'])], { 'scan-only-fixed': 'true' }],
    ['findings-that-come-after-an-empty-complete', [basic(), basic(['CVE-3', 'CRITICAL'])], {}],
  ])('blocks %s', async (name, says, inputs) => {
    const { run, tag } = await scanned(name, says, { inputs });
    expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'blocked' } });
    expect(tag).toBeNull();
  });

  test.each<[name: string, says: StageRun['scans'][string], why: RegExp]>([
    ['that-never-ends', [status('IN_PROGRESS')], /ECR says IN_PROGRESS when the time was up/],
    ['that-failed', [status('FAILED', 'The scan failed')], /ECR says FAILED: The scan failed/],
    ['of-an-image-that-ecr-cannot-read', [status('UNSUPPORTED_IMAGE')], /ECR says UNSUPPORTED_IMAGE/],
    ['that-may-not-be-read', [denied], /access denied for ecr:DescribeImageScanFindings/],
    ['that-ecr-does-not-have', [], /ECR has no scan of it yet.* when the time was up/],
    ['in-an-outage', [{ status: 500, body: { __type: 'ServerException', message: 'down' } }], /when the time was up/],
  ])('fails closed on a scan %s', async (name, says, why) => {
    const { run, tag } = await scanned(name, says, { inputs: { 'scan-timeout': '2m' } });
    expect(run).toMatchObject({
      exitCode: 1,
      outputs: { outcome: 'scan-unknown', images: '', 'scan-verdict': 'unknown' },
    });
    expect(run.annotations.find(({ level }) => level === 'error')?.message).toMatch(why);
    expect(tag).toBeNull();
  });

  test('goes on without a verdict only where that was chosen, and says so', async () => {
    const { run, digest, tag } = await scanned('chosen', [status('FAILED')], { inputs: { 'on-scan-error': 'warn' } });
    expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'reused', 'scan-verdict': 'unknown' } });
    expect(run.annotations).toContainEqual(
      expect.objectContaining({ level: 'warning', message: expect.stringContaining('no verdict') }),
    );
    expect(run.file(run.outputs['evidence-file'])).toMatchObject({ scan: { verdict: 'unknown' } });
    expect(tag).toBe(digest);
  });

  const entry = (id: string, expires: string): string =>
    `- { id: ${id}, reason: only the client is used, owner: alice, expires: ${expires} }\n`;
  const ignoring = (text: string) => ({
    inputs: { 'scan-ignore': '.github/scan-ignore.yml' },
    trusted: { '.github/scan-ignore.yml': text },
  });

  test('an accepted finding does not count while its exception lasts, and the evidence names who answers for it', async () => {
    const more = ignoring(entry('CVE-2026-1', '2027-01-31'));
    const { run, tag, digest } = await scanned('accepted', [basic(['CVE-2026-1', 'CRITICAL'])], more);
    expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'reused', 'scan-verdict': 'pass' } });
    expect(run.file(run.outputs['evidence-file'])).toMatchObject({
      scan: { ignored: [{ id: 'CVE-2026-1', owner: 'alice', reason: 'only the client is used' }] },
    });
    expect(tag).toBe(digest);
  });

  test('counts again when the exception has run out, and says whose it was', async () => {
    const more = ignoring(entry('CVE-2026-1', '2026-11-19'));
    const { run } = await scanned('run-out', [basic(['CVE-2026-1', 'CRITICAL'])], more);
    expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'blocked' } });
    expect(run.annotations.map(({ message }) => message)).toContain(
      'The exception for CVE-2026-1 (alice) ended on 2026-11-19: its finding counts again',
    );
  });

  test('exceptions that are wrong are all said at once, before anything is asked of ECR', async () => {
    const more = ignoring('- { id: CVE-1 }\n- { id: CVE-2, reason: short, owner: bob, expires: 2026-12-01 }\n');
    const { run } = await scanned('wrong', [basic()], more);
    expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'invalid-input' } });
    expect(run.annotations[0]?.message).toMatch(/CVE-1.*CVE-2.*no reason of at least 10 characters/s);
    expect(run.calls.map(({ operation }) => operation)).not.toContain('DescribeImageScanFindings');
  });

  test.each([
    ['by the tag of its promotion', (): string => `${ECR}/team/live:production`],
    ['by its digest', (digest: string): string => `${ECR}/team/live@${digest}`],
  ])('counts what the image in production, found %s, does not have', async (name, reference) => {
    const live = await stage.seed('team/live', { tag: 'production', content: 'what runs now' });
    const repository = `team/compared-${name.replaceAll(/\W/g, '-')}`;
    const { digest } = await stage.seed(repository);
    const inputs = { 'compare-image': reference(live.digest) };
    const old = basic(['CVE-OLD', 'HIGH']);
    const same = await stage.run(repository, { inputs, scans: { [live.digest]: [old], [digest]: [old] } });
    expect(same).toMatchObject({ exitCode: 0, outputs: { outcome: 'reused', 'scan-verdict': 'pass' } });
    expect(same.summary).toMatch(/CVE-OLD .*in-production/);
    const worse = basic(['CVE-OLD', 'HIGH'], ['CVE-NEW', 'HIGH']);
    const more = await stage.run(repository, { inputs, scans: { [live.digest]: [old], [digest]: [worse] } });
    expect(more).toMatchObject({ exitCode: 1, outputs: { outcome: 'blocked' } });
    expect(more.annotations[0]?.message).toContain('high 1 > 0');
  });

  test('counts everything when there is nothing in production yet, or its scan cannot be had, and says so', async () => {
    const inputs = { 'compare-image': `${ECR}/team/unborn:production` };
    const first = await scanned('first', [basic(['CVE-OLD', 'HIGH'])], { inputs });
    expect(first.run).toMatchObject({ exitCode: 1, outputs: { outcome: 'blocked' } });
    expect(first.run.annotations.map(({ message }) => message).join()).toContain(
      `All findings count: ${ECR}/team/unborn:production is not there`,
    );
    const live = await stage.seed('team/unscanned', { tag: 'production', content: 'unscanned' });
    const { digest } = await stage.seed('team/second');
    const second = await stage.run('team/second', {
      inputs: { 'compare-image': `${ECR}/team/unscanned:production` },
      scans: { [digest]: [basic(['CVE-OLD', 'HIGH'])], [live.digest]: [status('SCAN_ELIGIBILITY_EXPIRED')] },
    });
    expect(second).toMatchObject({ exitCode: 1, outputs: { outcome: 'blocked' } });
    expect(second.annotations.map(({ message }) => message).join()).toContain('there is nothing to compare with');
  });

  test('every platform of an index is looked at by its digest, and the worst of them blocks', async () => {
    const { index, children } = await stage.seedPlatforms('team/platforms');
    const [amd64 = '', arm64 = ''] = children.map(({ digest }) => digest);
    const run = await stage.run('team/platforms', {
      scans: { [amd64]: [basic()], [arm64]: [basic(['CVE-9', 'HIGH'])] },
    });
    expect(run).toMatchObject({
      exitCode: 1,
      outputs: { outcome: 'blocked', digest: index.digest, kind: 'index' },
    });
    expect(run.summary).toMatch(/CVE-9 .*linux\/arm64/);
    const asked = run.calls
      .filter(({ operation }) => operation === 'DescribeImageScanFindings')
      .map(({ body }) => (JSON.parse(body) as { imageId: { imageDigest: string } }).imageId.imageDigest);
    expect([...new Set(asked)].sort()).toEqual([amd64, arm64].sort());
    const clean = await stage.run('team/platforms', { scans: { '*': [basic()] } });
    expect(clean).toMatchObject({ exitCode: 0, outputs: { outcome: 'reused', 'scan-verdict': 'pass' } });
    expect(await stage.tagOf('team/platforms', 'main')).toBe(index.digest);
  });
});
