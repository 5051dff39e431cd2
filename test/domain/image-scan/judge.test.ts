import { describe, expect, test } from '@jest/globals';
import { type Instant, days, instant } from '../../../src/domain/duration.ts';
import { findingsOf, statusKind } from '../../../src/domain/image-scan/ecr.ts';
import { ignoreLine, readIgnores } from '../../../src/domain/image-scan/ignore.ts';
import { type Finding, type ScanRules, judgeScan, scanLine } from '../../../src/domain/image-scan/judge.ts';
import { readScanLimits, severityOf } from '../../../src/domain/image-scan/limits.ts';
import { sarifOf } from '../../../src/domain/image-scan/sarif.ts';
import { readTrivy } from '../../../src/domain/image-scan/trivy.ts';

const NOW: Instant = instant(Date.UTC(2026, 10, 25));
const on = (offset: number): string => new Date(NOW + days(offset)).toISOString().slice(0, 10);
const finding = (id: string, severity: Finding['severity'], more: Partial<Finding> = {}): Finding => ({
  id,
  package: 'openssl',
  version: '3.0.1',
  severity,
  fix: 'available',
  ...more,
});
const RULES: ScanRules = { max: { critical: 0, high: 0 }, counted: 'all', ignore: [], production: undefined, now: NOW };
const judge = (findings: readonly Finding[], rules: Partial<ScanRules> = {}) =>
  judgeScan('ECR', [{ digest: 'd', platform: 'linux/amd64', findings }], { ...RULES, ...rules });
const accepted = (id: string, ends: number, more: object = {}) => {
  const read = readIgnores(
    [{ id, reason: 'not reachable here', owner: 'alice', expires: on(ends), ...more }],
    NOW,
    () => 'ignore.yml',
  );
  if (!read.ok) throw new Error('the entry is good');
  return read.value;
};

describe('the verdict of a scan', () => {
  test.each<
    [name: string, findings: readonly Finding[], rules: Partial<ScanRules>, kind: string, over: readonly string[]]
  >([
    ['nothing found', [], {}, 'pass', []],
    ['one high', [finding('A', 'high')], {}, 'fail', ['high 1 > 0']],
    ['medium without a limit', [finding('A', 'medium')], {}, 'pass', []],
    ['as many as allowed', [finding('A', 'medium')], { max: { medium: 1 } }, 'pass', []],
    [
      'one more than allowed',
      [finding('A', 'medium'), finding('B', 'medium')],
      { max: { medium: 1 } },
      'fail',
      ['medium 2 > 1'],
    ],
    [
      'one without a fix, where only fixed ones count',
      [finding('A', 'high', { fix: 'none' })],
      { counted: 'only-fixed' },
      'pass',
      [],
    ],
    [
      'one of which the fix is not known counts',
      [finding('A', 'high', { fix: 'unknown' })],
      { counted: 'only-fixed' },
      'fail',
      ['high 1 > 0'],
    ],
    [
      'what production has does not count',
      [finding('A', 'high'), finding('B', 'high')],
      { production: [finding('A', 'high')] },
      'fail',
      ['high 1 > 0'],
    ],
    ['production without it', [finding('A', 'high')], { production: [] }, 'fail', ['high 1 > 0']],
    ['an accepted finding', [finding('A', 'high')], { ignore: accepted('A', 30) }, 'pass', []],
    [
      'an accepted finding of another package',
      [finding('A', 'high')],
      { ignore: accepted('A', 30, { package: 'zlib' }) },
      'fail',
      ['high 1 > 0'],
    ],
    ['an acceptance that has ended', [finding('A', 'high')], { ignore: accepted('A', -1) }, 'fail', ['high 1 > 0']],
  ])('%s', (_name, findings, rules, kind, over) => {
    expect(judge(findings, rules)).toMatchObject({ kind, over });
  });

  test('counts a finding of two platforms once, and names both', () => {
    const images = ['linux/amd64', 'linux/arm64'].map((platform) => ({
      digest: platform,
      platform,
      findings: [finding('A', 'high')],
    }));
    const result = judgeScan('ECR', images, { ...RULES, max: { high: 1 } });
    expect(result).toMatchObject({ kind: 'pass', findings: [{ platforms: ['linux/amd64', 'linux/arm64'] }] });
    expect(scanLine(result)).toBe('ECR: 0 critical, 1 high, 0 medium');
  });

  test.each([
    ['first', ['available', 'none']],
    ['last', ['none', 'available']],
  ] as const)('counts what one platform can mend, be it the %s', (_name, fixes) => {
    const images = fixes.map((fix, index) => ({
      digest: `d${index}`,
      platform: `linux/${index}`,
      findings: [finding('A', 'high', { fix })],
    }));
    expect(judgeScan('ECR', images, { ...RULES, counted: 'only-fixed' })).toMatchObject({ kind: 'fail' });
  });

  test('says of each acceptance what became of it', () => {
    const ignore = [...accepted('A', 7), ...accepted('B', -2), ...accepted('C', 60), ...accepted('D', 60)];
    const { ignores } = judge([finding('A', 'high'), finding('B', 'high'), finding('C', 'high')], { ignore });
    expect(ignores.map(({ state }) => state)).toEqual(['expires-soon', 'expired', 'used', 'unused']);
    expect(ignores.map(ignoreLine)).toEqual([
      `The exception for A (alice) ends on ${on(7)}`,
      `The exception for B (alice) ended on ${on(-2)}: its finding counts again`,
      undefined,
      'The exception for D (alice) is not needed any more',
    ]);
  });
});

describe('an accepted finding', () => {
  const good = { id: 'A', reason: 'not reachable here', owner: 'alice', expires: on(30) };
  test.each<[string, object, RegExp]>([
    ['without reason', { ...good, reason: 'no' }, /no reason/],
    ['without owner', { ...good, owner: '' }, /no owner/],
    ['without end', { ...good, expires: undefined }, /no date/],
    ['for longer than 90 days', { ...good, expires: on(120) }, /more than 90 days/],
    ['with a misspelt key', { ...good, reson: 'x' }, /unknown key reson/],
    ['without id', { ...good, id: '' }, /no id/],
  ])('%s is refused', (_name, entry, problem) => {
    const read = readIgnores([entry], NOW, () => 'ignore.yml:1:3');
    expect(read.ok ? [] : read.problems).toMatchObject([
      { input: 'ignore.yml:1:3', problem: expect.stringMatching(problem) },
    ]);
  });
});

describe('what scanners say', () => {
  test('basic and enhanced findings of ECR are told apart by their shape', () => {
    const basic = {
      name: 'CVE-1',
      severity: 'HIGH',
      attributes: [
        { key: 'package_name', value: 'zlib' },
        { key: 'package_version', value: '1' },
      ],
    };
    const enhanced = {
      severity: 'UNTRIAGED',
      fixAvailable: 'NO',
      status: 'ACTIVE',
      packageVulnerabilityDetails: {
        vulnerabilityId: 'CVE-2',
        vulnerablePackages: [{ name: 'ssl', version: '3', fixedInVersion: 'NotAvailable' }],
      },
    };
    const closed = { ...enhanced, status: 'CLOSED' };
    expect(findingsOf({ findings: [basic], enhancedFindings: [enhanced, closed] })).toEqual([
      { id: 'CVE-1', package: 'zlib', version: '1', severity: 'high', fix: 'unknown' },
      { id: 'CVE-2', package: 'ssl', version: '3', severity: 'high', fix: 'none' },
    ]);
  });

  test.each([
    ['COMPLETE', 'done'],
    ['ACTIVE', 'done'],
    ['IN_PROGRESS', 'pending'],
    ['PENDING', 'pending'],
    ...[
      'FAILED',
      'UNSUPPORTED_IMAGE',
      'SCAN_ELIGIBILITY_EXPIRED',
      'FINDINGS_UNAVAILABLE',
      'LIMIT_EXCEEDED',
      'IMAGE_ARCHIVED',
      'SOMETHING_NEW',
    ].map((status) => [status, 'failed']),
    [undefined, 'failed'],
  ])('status %s of ECR is %s', (status, kind) => {
    expect(statusKind(status)).toBe(kind);
  });

  test.each([
    ['CRITICAL', 'critical'],
    ['INFORMATIONAL', 'negligible'],
    ['UNDEFINED', 'high'],
    ['UNKNOWN', 'high'],
    [undefined, 'high'],
  ])('severity %s is %s', (word, severity) => {
    expect(severityOf(word)).toBe(severity);
  });

  test('a report of Trivy is read, and nothing else is a report', () => {
    const vulnerability = {
      VulnerabilityID: 'CVE-3',
      PkgName: 'curl',
      InstalledVersion: '8',
      FixedVersion: '8.1',
      Severity: 'MEDIUM',
      PrimaryURL: 'https://x',
    };
    expect(readTrivy({ SchemaVersion: 2, Results: [{ Vulnerabilities: [vulnerability] }, {}] })).toEqual({
      ok: true,
      value: [
        {
          id: 'CVE-3',
          package: 'curl',
          version: '8',
          severity: 'medium',
          fix: 'available',
          fixedIn: '8.1',
          url: 'https://x',
        },
      ],
    });
    const clean = { Target: 'x (alpine 3.22.0)', Class: 'os-pkgs', Type: 'alpine' };
    expect(readTrivy({ SchemaVersion: 2, Results: [clean] })).toEqual({ ok: true, value: [] });
    // Nothing was looked at, which is no verdict: Trivy leaves the list out, and ends with 0.
    for (const nothing of [{}, { Results: null }, { Results: [] }])
      expect(readTrivy({ SchemaVersion: 2, ...nothing })).toMatchObject({
        ok: false,
        problem: expect.stringMatching(/neither the system nor a package/),
      });
    const wrong = [
      undefined,
      {},
      { SchemaVersion: 2, Results: {} },
      { SchemaVersion: 2, Results: [{ Vulnerabilities: [{}] }] },
    ];
    expect(wrong.map((each) => readTrivy(each).ok)).toEqual([false, false, false, false]);
  });

  test.each([
    ['a list', []],
    ['an unknown severity', { hihg: 1 }],
    ['a negative limit', { high: -1 }],
    ['text', { high: '0' }],
    ['nothing', {}],
  ])('limits that are %s are refused', (_name, limits) => {
    expect(readScanLimits(limits).ok).toBe(false);
  });

  test('SARIF keeps the severity, and suppresses what does not count', () => {
    const result = judge([finding('A', 'high'), finding('B', 'low', { fix: 'none' })], {
      counted: 'only-fixed',
      max: { high: 9 },
    });
    const sarif = JSON.parse(sarifOf(result, { image: 'r/a@sha256:1', file: 'Dockerfile' })) as {
      runs: [{ results: object[]; tool: { driver: { rules: object[] } } }];
    };
    expect(sarif.runs[0].results).toMatchObject([
      { ruleId: 'A', level: 'error', locations: [{ physicalLocation: { artifactLocation: { uri: 'Dockerfile' } } }] },
      { ruleId: 'B', level: 'note', suppressions: [{ justification: 'not-fixed' }] },
    ]);
    expect(sarif.runs[0].tool.driver.rules).toMatchObject([{ properties: { 'security-severity': '8.0' } }, {}]);
  });
});
