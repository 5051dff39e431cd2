import type { Retry, StatusSet, Template } from '../../../src/domain/checks/document.ts';
import { readTargetHeaders } from '../../../src/domain/checks/load.ts';
import { checkInputs, readCheckSecrets } from '../../../src/domain/checks/target-inputs.ts';
import { HEADERS_SHAPE } from '../../../src/domain/checks/request-parts.ts';
import { type ShortLoad, readShortLoad } from '../../../src/domain/load/short.ts';
import { STATUS_SHAPE, readStatusSet } from '../../../src/domain/checks/status-set.ts';
import { type Duration, hours, milliseconds } from '../../../src/domain/duration.ts';
import {
  type Checked,
  type InputProblem,
  type InputsOf,
  bad,
  count,
  duration,
  flag,
  good,
  list,
  oneOf,
  structure,
  text,
} from '../../../src/domain/inputs.ts';
import { stageInputs } from '../../../src/domain/stage-inputs.ts';

/** What a load must keep when nothing is said. */
const NO_ERRORS = 'fail: error-rate > 0%';

export const spec = {
  ...checkInputs,
  paths: list({
    description:
      'Paths to GET, one a line: the short form, without a file. They come before the checks of the file. Example: `/health`.',
    from: 'stage',
  }),
  websocket: list({
    description:
      'Paths at which a WebSocket must open within `timeout`, one a line: the short form, without a file. Example: `/ws`.',
    from: 'stage',
  }),
  load: structure(
    {
      description:
        'Load on `paths` after the checks: `100 requests at 10` (users at a time), `60s at 10`, or `60s at 20/s` (arrivals a second). Everything else of a load stands in the checks file.',
    },
    'load',
    readShortLoad,
  ),
  'load-rules': list({
    description:
      'Rules that `load` must keep, one a line: `fail: RULE` or `warn: RULE`, with p50, p95, p99, mean, error-rate and requests. They take the place of the default. Example: `warn: mean > 2s`.',
    fallback: NO_ERRORS,
  }),
  'allow-production-load': flag({
    description:
      'Whether loads above 1000 requests together, 50 arrivals a second or 50 users at a time may run at a stage whose name has a word that begins with `prod`, `prd` or `live`.',
    fallback: 'false',
  }),
  'allowed-hosts': list({
    description:
      'The only hosts that may be reached, without ports. Without it those that the inputs and the checks file name. Example: `staging.example.com`.',
    from: 'stage',
  }),
  baseline: text({
    description:
      'Path of the result file of an earlier run, for rules against `stable`: a load is compared with the one of its name. Example: `last/smoke-test.json`.',
  }),
  'on-invalid': oneOf(['fail', 'continue'] as const, {
    description:
      'What happens when a load proves nothing (too few answers for a rule, a generator that is too slow): the step fails, or goes on with a warning.',
    fallback: 'fail',
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
  readonly webSockets: readonly string[];
  readonly load?: { readonly model: ShortLoad; readonly rules: readonly string[] };
  readonly stage?: string;
  readonly productionLoad: 'allowed' | 'capped';
  readonly allowedHosts?: readonly string[];
  readonly baselineFile?: string;
  readonly onInvalid: 'fail' | 'continue';
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
    ...(values.load !== undefined && (paths ?? []).length === 0
      ? [{ input: 'load', problem: 'has nothing to load', accepted: 'paths beside it, or a load in the checks file' }]
      : []),
    ...(values.load === undefined && values['load-rules'].join() !== NO_ERRORS
      ? [
          {
            input: 'load-rules',
            problem: 'has no load to judge',
            accepted: 'load beside it; a load of the checks file has its own `rules`',
          },
        ]
      : []),
    ...(checks === undefined && (paths ?? []).length === 0 && (values.websocket ?? []).length === 0
      ? [
          {
            input: 'checks',
            problem: 'is missing, and so are paths and websocket: there is nothing to check',
            accepted: 'one of checks, paths and websocket, or several',
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
    webSockets: [...new Set(values.websocket)],
    ...(values.load === undefined ? {} : { load: { model: values.load, rules: values['load-rules'] } }),
    ...(values.stage === undefined ? {} : { stage: values.stage }),
    productionLoad: values['allow-production-load'] ? 'allowed' : 'capped',
    ...(values['allowed-hosts'] === undefined ? {} : { allowedHosts: values['allowed-hosts'] }),
    ...(values.baseline === undefined ? {} : { baselineFile: values.baseline }),
    onInvalid: values['on-invalid'],
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
