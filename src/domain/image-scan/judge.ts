import type { Instant } from '../duration.ts';
import { unreachable } from '../unreachable.ts';
import { type IgnoreEntry, type IgnoreUse, ignored, ignoreUses } from './ignore.ts';
import { SEVERITIES, type ScanLimits, type Severity } from './limits.ts';

export interface Finding {
  /** `CVE-2026-1234` */
  readonly id: string;
  readonly package: string;
  readonly version: string;
  /** As the scanner says it, made one of ours; what it does not say is `high`. */
  readonly severity: Severity;
  readonly fix: 'available' | 'none' | 'unknown';
  readonly fixedIn?: string;
  readonly title?: string;
  readonly url?: string;
}

/** What a scanner said of one platform's image. */
export interface ScannedImage {
  readonly digest: string;
  readonly platform: string;
  readonly findings: readonly Finding[];
}

export interface JudgedFinding extends Finding {
  /** Of each platform that has it. */
  readonly platforms: readonly string[];
  readonly counts: 'counted' | 'ignored' | 'in-production' | 'not-fixed';
}

export type ScanResult =
  | {
      readonly kind: 'pass' | 'fail';
      readonly scanner: string;
      readonly findings: readonly JudgedFinding[];
      readonly counted: Readonly<Record<Severity, number>>;
      /** `critical 2 > 0` */
      readonly over: readonly string[];
      readonly ignores: readonly IgnoreUse[];
    }
  /** No verdict could be had. */
  | { readonly kind: 'unknown'; readonly scanner: string; readonly why: string };

export interface ScanRules {
  readonly max: ScanLimits;
  readonly counted: 'all' | 'only-fixed';
  readonly ignore: readonly IgnoreEntry[];
  /** Findings of the image that runs now; undefined: all findings count. */
  readonly production: readonly Finding[] | undefined;
  readonly now: Instant;
}

/** PURE: one finding counts once, however many platforms have it. */
export function judgeScan(
  scanner: string,
  images: readonly ScannedImage[],
  rules: ScanRules,
): Exclude<ScanResult, { kind: 'unknown' }> {
  const found = new Map<string, JudgedFinding>();
  for (const { platform, findings } of images) {
    for (const finding of findings) {
      const key = keyOf(finding);
      const before = found.get(key);
      const platforms = [...new Set([...(before?.platforms ?? []), platform])];
      const counts = countsOf(finding, rules);
      // One platform for which there is no fix yet does not excuse the other.
      found.set(key, {
        ...worse(before, finding),
        platforms,
        counts: before?.counts === 'counted' ? 'counted' : counts,
      });
    }
  }
  const order = (each: Finding): number => SEVERITIES.indexOf(each.severity);
  const findings = [...found.values()].sort((a, b) => order(a) - order(b) || (a.id < b.id ? -1 : 1));
  const counted = Object.fromEntries(
    SEVERITIES.map((severity) => [
      severity,
      findings.filter((each) => each.counts === 'counted' && each.severity === severity).length,
    ]),
  ) as Record<Severity, number>;
  const over = SEVERITIES.flatMap((severity) => {
    const limit = rules.max[severity];
    return limit !== undefined && counted[severity] > limit ? [`${severity} ${counted[severity]} > ${limit}`] : [];
  });
  return {
    kind: over.length === 0 ? 'pass' : 'fail',
    scanner,
    findings,
    counted,
    over,
    ignores: ignoreUses(rules.ignore, findings, rules.now),
  };
}

/** The same hole in the same package; versions may differ between platforms. */
const keyOf = (finding: Finding): string => `${finding.id} ${finding.package} ${finding.version}`;

function worse(before: JudgedFinding | undefined, finding: Finding): Finding {
  if (before === undefined) return finding;
  return SEVERITIES.indexOf(before.severity) <= SEVERITIES.indexOf(finding.severity) ? before : finding;
}

function countsOf(finding: Finding, { counted, ignore, production, now }: ScanRules): JudgedFinding['counts'] {
  if (ignored(ignore, finding, now) === 'yes') return 'ignored';
  if (production?.some((each) => each.id === finding.id && each.package === finding.package)) return 'in-production';
  // Unknown counts: it is not known that there is no fix.
  if (counted === 'only-fixed' && finding.fix === 'none') return 'not-fixed';
  return 'counted';
}

/** `0 critical, 2 high (limits kept)` */
export function scanLine(result: ScanResult): string {
  switch (result.kind) {
    case 'pass':
    case 'fail': {
      const counts = SEVERITIES.slice(0, 3).map((severity) => `${result.counted[severity]} ${severity}`);
      return `${result.scanner}: ${counts.join(', ')}${result.kind === 'fail' ? `; ${result.over.join(', ')}` : ''}`;
    }
    case 'unknown':
      return `${result.scanner}: no verdict, ${result.why}`;
    default:
      return unreachable(result);
  }
}
