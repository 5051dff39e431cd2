import type { Duration } from '../../../../src/domain/duration.ts';
import { type Repository, nameOf, registryKind } from '../../../../src/domain/image-build/registries.ts';
import { parseImage } from '../../../../src/domain/image-reference.ts';
import type { ScanLimits } from '../../../../src/domain/image-scan/limits.ts';
import { type Checked, type InputProblem, type InputsOf, bad, good } from '../../../../src/domain/inputs.ts';
import type { spec } from './fields.ts';

type Values = InputsOf<typeof spec>;

export interface ScanWish {
  readonly by: 'ecr' | 'trivy';
  readonly max: ScanLimits;
  readonly counted: 'all' | 'only-fixed';
  readonly ignoreFile?: string;
  readonly compareImage?: string;
  readonly timeout: Duration;
  readonly onError: 'fail' | 'warn';
  readonly trivy?: { readonly version: string; readonly sha256: string; readonly url: string };
}

/** `repository` is the one that is scanned; undefined where its name is a problem of its own. */
export function scanWish(values: Values, repository: Repository | undefined): Checked<ScanWish | undefined> {
  const { scan } = values;
  if (scan === undefined) {
    const forgotten = forgottenScan(values);
    return forgotten.length > 0 ? bad(...forgotten) : good(undefined);
  }
  if (scan === 'none') return good(undefined);
  const version = values['trivy-version'];
  const sha256 = values['trivy-sha256'];
  const compare = values['compare-image'];
  const compared = compare === undefined ? undefined : parseImage(compare, 'compare-image');
  const problems: InputProblem[] = [
    ...(values.push ? [] : [{ input: 'scan', problem: 'needs a pushed image', accepted: 'push: true, or scan: none' }]),
    ...(scan === 'trivy' ? trivyProblems(version, sha256) : shelfProblems(repository)),
    ...(compared?.ok === false ? compared.problems : []),
  ];
  if (problems.length > 0) return bad(...problems);
  return good({
    by: scan,
    max: values['scan-max'] ?? { critical: 0, high: 0 },
    counted: values['scan-only-fixed'] ? 'only-fixed' : 'all',
    ...(values['scan-ignore'] === undefined ? {} : { ignoreFile: values['scan-ignore'] }),
    ...(compare === undefined ? {} : { compareImage: compare }),
    timeout: values['scan-timeout'],
    onError: values['on-scan-error'],
    ...(version === undefined || sha256 === undefined ? {} : { trivy: { version, sha256, url: values['trivy-url'] } }),
  });
}

/** Limits without a scan are a gate that somebody believes to be shut. `scan: none` says that it is open on purpose. */
function forgottenScan(values: Values): readonly InputProblem[] {
  const names = ['scan-max', 'scan-ignore', 'compare-image', 'trivy-version', 'trivy-sha256'] as const;
  const given: string[] = names.filter((name) => values[name] !== undefined);
  if (values['scan-only-fixed']) given.push('scan-only-fixed');
  if (values['on-scan-error'] === 'warn') given.push('on-scan-error');
  return given.map((input) => ({
    input,
    problem: 'is given, and nothing is scanned',
    accepted: 'scan: ecr or trivy beside it, or scan: none where nothing is to be scanned',
  }));
}

function trivyProblems(version: string | undefined, sha256: string | undefined): readonly InputProblem[] {
  const wrong = (given: string | undefined, what: string): string =>
    given === undefined ? 'is needed for scan: trivy' : `is not ${what}`;
  const problems: InputProblem[] = [];
  if (version === undefined || !/^\d+\.\d+\.\d+$/.test(version))
    problems.push({
      input: 'trivy-version',
      problem: wrong(version, 'a release'),
      accepted: 'a version such as 0.69.1: a scanner is never taken by a moving name',
    });
  if (sha256 === undefined || !/^[0-9a-f]{64}$/.test(sha256))
    problems.push({
      input: 'trivy-sha256',
      problem: wrong(sha256, 'a hash'),
      accepted: '64 hex digits of the archive, from its checksums file',
    });
  return problems;
}

function shelfProblems(repository: Repository | undefined): readonly InputProblem[] {
  if (repository === undefined || registryKind(repository.host).kind === 'ecr') return [];
  return [
    {
      input: 'scan',
      given: 'ecr',
      problem: `is for images in ECR, and the image is scanned in ${nameOf(repository)}`,
      accepted: 'scan: trivy, or an ECR repository as the first of repository',
    },
  ];
}
