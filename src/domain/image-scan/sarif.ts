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

/** SARIF 2.1.0: every finding keeps its severity; what does not count is suppressed with its reason. */
export function sarifOf(
  result: ScanResult,
  { image, file }: { readonly image: string; readonly file: string },
): string {
  const findings = result.kind === 'unknown' ? [] : result.findings;
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
  ...(url === undefined ? {} : { helpUri: url }),
  properties: { 'security-severity': SCORES[severity], tags: ['security', 'vulnerability'] },
});

function resultOf(finding: JudgedFinding, { image, file }: { readonly image: string; readonly file: string }) {
  const { id, severity, package: name, version, fixedIn, counts, platforms } = finding;
  const fix = fixedIn === undefined ? 'no fix is known' : `fixed in ${fixedIn}`;
  return {
    ruleId: id,
    level: severity === 'critical' || severity === 'high' ? 'error' : severity === 'medium' ? 'warning' : 'note',
    message: { text: `${id} (${severity}) in ${name} ${version} of ${image} (${platforms.join(', ')}); ${fix}` },
    locations: [{ physicalLocation: { artifactLocation: { uri: file }, region: { startLine: 1 } } }],
    partialFingerprints: { 'sluice/v1': `${id}:${name}` },
    ...(counts === 'counted' ? {} : { suppressions: [{ kind: 'external', justification: counts }] }),
  };
}
