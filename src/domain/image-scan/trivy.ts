import { type FieldResult } from '../inputs.ts';
import { severityOf } from './limits.ts';
import type { Finding } from './judge.ts';

/** The report of `trivy image --format json`. A document of another shape is no report, and so no verdict. */
export function readTrivy(value: unknown): FieldResult<readonly Finding[]> {
  if (!isRecord(value) || typeof value['SchemaVersion'] !== 'number')
    return { ok: false, problem: 'is not a report of Trivy' };
  const results = value['Results'] ?? [];
  if (!Array.isArray(results)) return { ok: false, problem: 'has Results that are no list' };
  // Whatever it looked at has an entry, also without a finding: no entry is an unknown system or an image without packages.
  if (results.length === 0)
    return { ok: false, problem: 'has no Results: it knows neither the system nor a package of this image' };
  const findings: Finding[] = [];
  for (const result of results as unknown[]) {
    const found = isRecord(result) ? (result['Vulnerabilities'] ?? []) : undefined;
    if (!Array.isArray(found)) return { ok: false, problem: 'has Vulnerabilities that are no list' };
    for (const each of found as unknown[]) {
      if (!isRecord(each) || typeof each['VulnerabilityID'] !== 'string')
        return { ok: false, problem: 'has a finding without an id' };
      findings.push(findingOf(each, each['VulnerabilityID']));
    }
  }
  return { ok: true, value: findings };
}

function findingOf(each: Readonly<Record<string, unknown>>, id: string): Finding {
  const text = (key: string): string | undefined =>
    typeof each[key] === 'string' && each[key] !== '' ? each[key] : undefined;
  const fixedIn = text('FixedVersion');
  const title = text('Title');
  const url = text('PrimaryURL');
  return {
    id,
    package: text('PkgName') ?? '',
    version: text('InstalledVersion') ?? '',
    severity: severityOf(text('Severity')),
    fix: fixedIn === undefined ? 'none' : 'available',
    ...(fixedIn === undefined ? {} : { fixedIn }),
    ...(title === undefined ? {} : { title }),
    ...(url === undefined ? {} : { url }),
  };
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
