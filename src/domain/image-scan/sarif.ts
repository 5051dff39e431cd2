import type { JudgedFinding, ScanResult } from './judge.ts';
import type { Severity } from './limits.ts';

/** GitHub sorts by this number: docs, "SARIF support for code scanning". */
const SCORES: Readonly<Record<Severity, string>> = {
  critical: '9.5',
  high: '8.0',
  medium: '5.5',
  low: '2.0',
  negligible: '0.1',
};

/** More results of a run are refused with the whole file (docs, "SARIF results exceed one or more limits"). */
const MOST_RESULTS = 25_000;

/** SARIF 2.1.0: every finding keeps its severity; what does not count is suppressed with its reason. */
export function sarifOf(
  result: ScanResult,
  { image, file }: { readonly image: string; readonly file: string },
): string {
  const all = result.kind === 'unknown' ? [] : result.findings;
  const counts = ({ counts: what }: JudgedFinding): number => (what === 'counted' ? 0 : 1);
  const findings =
    all.length > MOST_RESULTS ? all.toSorted((a, b) => counts(a) - counts(b)).slice(0, MOST_RESULTS) : all;
  const rules = [...new Map(findings.map((each) => [each.id, ruleOf(each)])).values()];
  const run = {
    tool: { driver: { name: result.scanner, rules } },
    results: findings.map((each) => resultOf(each, { image, file })),
    invocations: [{ executionSuccessful: result.kind !== 'unknown' }],
  };
  return `${JSON.stringify({ $schema: 'https://json.schemastore.org/sarif-2.1.0.json', version: '2.1.0', runs: [run] }, null, 2)}\n`;
}

const ruleOf = ({ id, title, url, severity }: JudgedFinding) => ({
  id,
  shortDescription: { text: title ?? id },
  // What a scanner writes there is not always an address, and one that is none makes the file invalid.
  ...(/^https?:\/\/[^\s"<>\\^`{|}]+$/.test(url ?? '') ? { helpUri: url } : {}),
  properties: { 'security-severity': SCORES[severity], tags: ['security', 'vulnerability'] },
});

function resultOf(finding: JudgedFinding, { image, file }: { readonly image: string; readonly file: string }) {
  const { id, severity, package: name, version, fixedIn, counts, platforms } = finding;
  const fix = fixedIn === undefined ? 'no fix is known' : `fixed in ${fixedIn}`;
  return {
    ruleId: id,
    level: severity === 'critical' || severity === 'high' ? 'error' : severity === 'medium' ? 'warning' : 'note',
    message: { text: `${id} (${severity}) in ${name} ${version} of ${image} (${platforms.join(', ')}); ${fix}` },
    locations: [{ physicalLocation: { artifactLocation: { uri: placeOf(file) }, region: { startLine: 1 } } }],
    // GitHub tells alerts of one rule and one line apart by the second alone, and makes it of the line where it is missing.
    partialFingerprints: { 'sluice/v1': `${id}:${name}`, primaryLocationLineHash: `${id}:${name}:1` },
    ...(counts === 'counted' ? {} : { suppressions: [{ kind: 'external', justification: counts }] }),
  };
}

/** Below the root of the repository, as an address: GitHub shows findings of no other place. */
const placeOf = (file: string): string =>
  encodeURI(file.replaceAll('\\', '/').replace(/^(?:\.?\/)+/, ''))
    .replaceAll('#', '%23')
    .replaceAll('?', '%3F');
