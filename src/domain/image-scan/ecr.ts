import { severityOf } from './limits.ts';
import type { Finding } from './judge.ts';

/** What DescribeImageScanFindings says, as far as it matters; dates and pages are the adapter's affair. */
export interface EcrFindings {
  readonly findings?: readonly EcrBasicFinding[];
  readonly enhancedFindings?: readonly EcrEnhancedFinding[];
}
export interface EcrBasicFinding {
  readonly name?: string;
  readonly severity?: string;
  readonly uri?: string;
  readonly description?: string;
  readonly attributes?: readonly { readonly key?: string; readonly value?: string }[];
}
export interface EcrEnhancedFinding {
  readonly severity?: string;
  readonly title?: string;
  readonly fixAvailable?: string;
  readonly status?: string;
  readonly packageVulnerabilityDetails?: {
    readonly vulnerabilityId?: string;
    readonly sourceUrl?: string;
    readonly vulnerablePackages?: readonly {
      readonly name?: string;
      readonly version?: string;
      readonly fixedInVersion?: string;
    }[];
  };
}

/** API_ImageScanStatus. What is not listed here is one that came later, and proves nothing. */
export function statusKind(status: string | undefined): 'pending' | 'done' | 'failed' {
  if (status === 'IN_PROGRESS' || status === 'PENDING') return 'pending';
  return status === 'COMPLETE' || status === 'ACTIVE' ? 'done' : 'failed';
}

/** Basic and enhanced are told apart by their shape: an enhanced scan may end in COMPLETE as well. */
export function findingsOf({ findings = [], enhancedFindings = [] }: EcrFindings): readonly Finding[] {
  return [...findings.map(basic), ...enhancedFindings.filter(({ status }) => status !== 'CLOSED').flatMap(enhanced)];
}

function basic({ name, severity, uri, description, attributes = [] }: EcrBasicFinding): Finding {
  const attribute = (key: string): string => attributes.find((each) => each.key === key)?.value ?? '';
  return {
    id: name ?? 'unnamed',
    package: attribute('package_name'),
    version: attribute('package_version'),
    severity: severityOf(severity),
    // Basic scanning does not say it, and what is not known counts.
    fix: 'unknown',
    ...(uri === undefined ? {} : { url: uri }),
    ...(description === undefined ? {} : { title: description }),
  };
}

function enhanced({
  severity,
  title,
  fixAvailable,
  packageVulnerabilityDetails: details = {},
}: EcrEnhancedFinding): Finding[] {
  const packages = details.vulnerablePackages?.length ? details.vulnerablePackages : [{}];
  return packages.map((each): Finding => ({
    id: details.vulnerabilityId ?? title ?? 'unnamed',
    package: each.name ?? '',
    version: each.version ?? '',
    severity: severityOf(severity),
    fix: fixAvailable === 'YES' ? 'available' : fixAvailable === 'NO' ? 'none' : 'unknown',
    ...(each.fixedInVersion && each.fixedInVersion !== 'NotAvailable' ? { fixedIn: each.fixedInVersion } : {}),
    ...(title === undefined ? {} : { title }),
    ...(details.sourceUrl === undefined ? {} : { url: details.sourceUrl }),
  }));
}
