import { describe, expect, test } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { JudgedFinding, ScanResult } from '../../../src/domain/image-scan/judge.ts';
import { sarifOf } from '../../../src/domain/image-scan/sarif.ts';

const text = { type: 'string', minLength: 1 } as const;
const message = { type: 'object', required: ['text'], additionalProperties: false, properties: { text } } as const;
/** Every object of SARIF is closed: what the standard does not name is an error. */
const closed = (required: readonly string[], properties: Readonly<Record<string, unknown>>) => ({
  type: 'object',
  required,
  additionalProperties: false,
  properties,
});
const listOf = (items: unknown, more: object = {}) => ({ type: 'array', items, ...more });
const rule = closed(['id'], {
  id: text,
  shortDescription: message,
  helpUri: { type: 'string', pattern: '^[a-z][a-z0-9+.-]*:[^\\s"<>\\\\^`{|}]+$' },
  properties: closed([], {
    // GitHub's own: a number as text, and at most 20 tags.
    'security-severity': { type: 'string', pattern: '^(10\\.0|[0-9]\\.[0-9])$' },
    tags: listOf(text, { uniqueItems: true, maxItems: 20 }),
  }),
});
const place = closed(['artifactLocation'], {
  artifactLocation: closed(['uri'], { uri: { type: 'string', pattern: "^[A-Za-z0-9._~!$&'()*+,;=:@%/-]+$" } }),
  region: closed(['startLine'], { startLine: { type: 'integer', minimum: 1 } }),
});
const result = closed(['message', 'ruleId'], {
  ruleId: text,
  level: { enum: ['none', 'note', 'warning', 'error'] },
  message,
  locations: listOf(closed([], { physicalLocation: place }), { minItems: 1 }),
  partialFingerprints: { type: 'object', additionalProperties: { type: 'string' }, required: ['primaryLocationLineHash'] },
  suppressions: listOf(
    closed(['kind'], { kind: { enum: ['inSource', 'external'] }, justification: { type: 'string' } }),
    { uniqueItems: true },
  ),
}); // prettier-ignore
/**
 * The parts of the schema of SARIF 2.1.0 (OASIS, sarif-schema-2.1.0.json) that our file uses, with what GitHub wants beside
 * it ("SARIF support for code scanning"). Written by hand: nothing that we install has the whole of it.
 */
const isSarif = new Ajv2020({ allErrors: true }).compile(
  closed(['version', 'runs'], {
    $schema: { type: 'string' },
    version: { const: '2.1.0' },
    runs: listOf(
      closed(['tool', 'results'], {
        tool: closed(['driver'], { driver: closed(['name'], { name: text, rules: listOf(rule) }) }),
        results: listOf(result, { maxItems: 25_000 }),
        invocations: listOf(closed(['executionSuccessful'], { executionSuccessful: { type: 'boolean' } })),
      }),
      { maxItems: 20 },
    ),
  }),
); // prettier-ignore

const finding = (id: string, more: Partial<JudgedFinding> = {}): JudgedFinding => ({
  id,
  package: 'openssl',
  version: '3.0',
  severity: 'high',
  fix: 'unknown',
  platforms: ['linux/amd64'],
  counts: 'counted',
  ...more,
});
const scanned = (...findings: readonly JudgedFinding[]): ScanResult => ({
  kind: 'fail',
  scanner: 'ECR',
  findings,
  counted: { critical: 0, high: 1, medium: 0, low: 0, negligible: 0 },
  over: [],
  ignores: [],
});
interface Written {
  readonly runs: readonly [
    {
      readonly tool: { readonly driver: { readonly rules: readonly { readonly id: string; readonly helpUri?: string }[] } };
      readonly results: readonly { readonly ruleId: string; readonly locations: unknown }[];
    },
  ];
} // prettier-ignore
const written = (found: ScanResult, file = 'Dockerfile') => {
  const document = JSON.parse(sarifOf(found, { image: 'r/a@sha256:1', file })) as Written;
  isSarif(document);
  return { document, errors: isSarif.errors };
};

describe('the file of findings is SARIF 2.1.0', () => {
  test.each<[name: string, found: ScanResult, file: string]>([
    ['without a finding', scanned(), 'Dockerfile'],
    ['without a verdict', { kind: 'unknown', scanner: 'Trivy 0.69.1', why: 'no database' }, 'Dockerfile'],
    ['of every severity', scanned(...(['critical', 'high', 'medium', 'low', 'negligible'] as const).map((severity) => finding(severity, { severity }))), 'Dockerfile'],
    ['of every reason not to count', scanned(...(['ignored', 'in-production', 'not-fixed'] as const).map((counts) => finding(counts, { counts }))), 'Dockerfile'],
    ['with one finding in two packages', scanned(finding('CVE-1'), finding('CVE-1', { package: 'zlib' })), 'Dockerfile'],
    ['with all that a scanner may say', scanned(finding('CVE-1', { title: 'A <b>title</b>\nof two lines', url: 'https://avd.example.com/CVE-1?x=1#y', fixedIn: '3.1' })), 'Dockerfile'],
    ['with an address that is none', scanned(finding('CVE-1', { url: 'see the vendor' }), finding('CVE-2', { url: 'https://a b' })), 'Dockerfile'],
    ['with a Dockerfile of another place', scanned(finding('CVE-1')), './web app/Docker#file?'],
    ['with a Dockerfile by its whole path', scanned(finding('CVE-1')), '/workspace/web/Dockerfile'],
    ['with more than GitHub takes', scanned(...Array.from({ length: 25_010 }, (_, index) => finding(`CVE-${index}`, { counts: index < 20 ? 'ignored' : 'counted' }))), 'Dockerfile'],
  ])('%s', (_name, found, file) => {
    expect(written(found, file).errors).toBeNull();
  }); // prettier-ignore

  test('what is left out of too many is what does not count', () => {
    const many = Array.from({ length: 25_010 }, (_, index) => finding(`CVE-${index}`, { counts: index < 20 ? 'ignored' : 'counted' }));
    const [run] = written(scanned(...many)).document.runs;
    expect(run.results.filter(({ ruleId }) => Number(ruleId.slice(4)) < 20)).toHaveLength(10);
  }); // prettier-ignore

  test('an address that is one is kept, and each rule is there once', () => {
    const two = written(scanned(finding('CVE-1', { url: 'https://example.com/1' }), finding('CVE-1', { package: 'zlib' })));
    const [run] = two.document.runs;
    expect(run.tool.driver.rules).toHaveLength(1);
    expect(run.results.every(({ ruleId }) => run.tool.driver.rules.some(({ id }) => id === ruleId))).toBe(true);
    expect(written(scanned(finding('CVE-1', { url: 'https://example.com/1' }))).document.runs[0].tool.driver.rules[0]?.helpUri).toBe('https://example.com/1');
  }); // prettier-ignore

  test.each<[name: string, spoil: (document: Record<string, unknown>) => void]>([
    ['another version', (document) => void (document['version'] = '2.0.0')],
    ['a run without its tool', (document) => void (document['runs'] = [{ results: [] }])],
    ['a key that the standard does not have', (document) => void (document['verdict'] = 'fail')],
  ])('and the schema refuses %s', (_name, spoil) => {
    const document = JSON.parse(sarifOf(scanned(finding('CVE-1')), { image: 'i', file: 'f' })) as Record<string, unknown>;
    spoil(document);
    expect(isSarif(document)).toBe(false);
  }); // prettier-ignore
});
