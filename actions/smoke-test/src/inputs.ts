import type { Retry, StatusSet, Template } from '../../../src/domain/checks/document.ts';
import { readTargetHeaders } from '../../../src/domain/checks/load.ts';
import { checkInputs, readCheckSecrets } from '../../../src/domain/checks/target-inputs.ts';
import { HEADERS_SHAPE } from '../../../src/domain/checks/request-parts.ts';
import { STATUS_SHAPE, readStatusSet } from '../../../src/domain/checks/status-set.ts';
import { type Duration, hours, milliseconds } from '../../../src/domain/duration.ts';
import {
  type Checked,
  type InputProblem,
  type InputsOf,
  bad,
  count,
  duration,
  good,
  list,
  structure,
  text,
} from '../../../src/domain/inputs.ts';
import { stageInputs } from '../../../src/domain/stage-inputs.ts';

export const spec = {
  ...checkInputs,
  paths: list({
    description:
      'Paths to GET, one a line: the short form, without a file. They come before the checks of the file. Example: `/health`.',
    from: 'stage',
  }),
  'expect-status': structure(
    {
      description:
        'Status that an answer must have where a check does not say it itself: `200`, `<400`, `200..299`, `2xx` or a list of these.',
      from: 'stage',
      fallback: '<400',
      shape: STATUS_SHAPE,
    },
    'status',
    readStatusSet,
  ),
  'retry-count': count({
    description: 'Tries in all, the first one included, where a check does not say it itself. Example: `30`.',
    from: 'stage',
    fallback: '1',
    min: 1,
    max: 1000,
  }),
  'retry-interval': duration({
    description: 'Time between two tries, where a check does not say it itself. Example: `10s`.',
    from: 'stage',
    fallback: '5s',
    min: milliseconds(1),
    max: hours(1),
  }),
  // Not from the stage: `timeout` of a stage is that of its deployment.
  timeout: duration({
    description:
      'Longest time of one request, from the name to the last byte, where a check does not say it itself. Example: `3s`.',
    fallback: '10s',
    min: milliseconds(1),
    max: hours(1),
  }),
  headers: structure(
    {
      description:
        'Headers of every request to the target, as YAML or JSON; they win over those of the file. Secret values only as `${NAME}` of an environment variable of the step. Example: `{ X-Route: green }`.',
      from: 'stage',
      shape: HEADERS_SHAPE,
    },
    'headers',
    // Judged by toRequest: what the runtime says of a field repeats what was given, which may be a secret.
    (value) => ({ ok: true, value }),
  ),
  'expect-version': text({
    description:
      'Version that must answer, where a check has `version` without `equals`, and on every one of `paths` when `version-from` is given. Example: `4f2a9c1`.',
  }),
  'version-from': text({
    description:
      'Where the answers to `paths` say their version: `header:NAME` or `json:PATH`. Example: `header:x-git-sha`.',
    from: 'stage',
  }),
  ...stageInputs,
} as const;

export interface Request {
  readonly url?: string;
  readonly host?: string;
  readonly checksFile?: string;
  readonly paths: readonly string[];
  readonly headers: Readonly<Record<string, Template>>;
  /** By name; they win over the environment. */
  readonly checkSecrets: ReadonlyMap<string, string>;
  readonly fallbacks: { readonly timeout: Duration; readonly retry: Retry; readonly status: StatusSet };
  readonly expectVersion?: string;
  /** Of `paths`; in the form of the checks file. */
  readonly versionFrom?: { readonly header: string } | { readonly json: string };
  readonly mode: 'run' | 'dry-run';
}

export function toRequest(values: InputsOf<typeof spec>): Checked<Request> {
  const { url, host, checks, paths } = values;
  const headers = readTargetHeaders(values.headers ?? {});
  const checkSecrets = readCheckSecrets(values['check-secrets'] ?? '');
  const expectVersion = values['expect-version'];
  const given = values['version-from'];
  const versionFrom = given === undefined ? undefined : versionPlace(given);
  const problems: readonly InputProblem[] = [
    ...(checks === undefined && (paths ?? []).length === 0
      ? [
          {
            input: 'checks',
            problem: 'is missing, and so is paths: there is nothing to check',
            accepted: 'either of the two, or both',
          },
        ]
      : []),
    ...(given !== undefined && versionFrom === undefined
      ? [{ input: 'version-from', given, problem: 'is not a place of a version', accepted: 'header:NAME or json:PATH' }]
      : []),
    ...(headers.ok ? [] : headers.problems),
    ...(checkSecrets.ok ? [] : checkSecrets.problems),
  ];
  if (problems.length > 0 || !headers.ok || !checkSecrets.ok) return bad(...problems);
  return good({
    ...(url === undefined ? {} : { url }),
    ...(host === undefined ? {} : { host }),
    ...(checks === undefined ? {} : { checksFile: checks }),
    paths: [...new Set(paths)],
    headers: headers.value,
    checkSecrets: checkSecrets.value,
    fallbacks: {
      timeout: values.timeout,
      retry: { count: values['retry-count'], interval: values['retry-interval'], consecutive: 1 },
      status: values['expect-status'],
    },
    ...(expectVersion === undefined ? {} : { expectVersion }),
    ...(versionFrom === undefined ? {} : { versionFrom }),
    mode: values['dry-run'] ? 'dry-run' : 'run',
  });
}

function versionPlace(given: string): Request['versionFrom'] {
  const [, kind, place] = /^(header|json):(\S.*)$/.exec(given) ?? [];
  if (place === undefined) return undefined;
  return kind === 'header' ? { header: place } : { json: place };
}
