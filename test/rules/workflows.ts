import { parse } from 'yaml';

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}
interface Job {
  readonly uses?: string;
  readonly steps?: readonly Step[];
  readonly 'timeout-minutes'?: number;
}
interface Workflow {
  readonly permissions?: unknown;
  readonly jobs?: Readonly<Record<string, Job>>;
}

/** How a workflow goes against the house, a line each. */
export function workflowProblems(source: string): string[] {
  const { permissions, jobs = {} } = parse(source) as Workflow;
  const isEmpty = typeof permissions === 'object' && permissions !== null && Object.keys(permissions).length === 0;
  return [
    ...(isEmpty ? [] : ['permissions at the top are not {}']),
    ...unpinned(source),
    ...unexplained(source),
    ...Object.entries(jobs).flatMap(([name, job]) => [
      ...(job.uses === undefined && job['timeout-minutes'] === undefined ? [`job ${name} has no timeout-minutes`] : []),
      ...(job.steps ?? []).flatMap(stepProblems).map((problem) => `job ${name}: ${problem}`),
    ]),
  ];
}

/** Read from the text, because the version is a comment. Own actions come by `./`, `$/` or the suite's own name. */
function unpinned(source: string): string[] {
  return [...source.matchAll(/^\s*(?:- )?uses:\s*(\S+)(.*)$/gm)].flatMap(([, reference = '', rest = '']) => {
    if (/^(\.\/|\$\/)/.test(reference) || /^[^/]+\/sluice\//.test(reference)) return [];
    if (!/@[0-9a-f]{40}$/.test(reference)) return [`${reference} is not pinned by SHA`];
    return /^\s+# v\d/.test(rest) ? [] : [`${reference} has no comment with its version`];
  });
}

/** A right is given for something, and its line says for what. */
const unexplained = (source: string): string[] =>
  [...source.matchAll(/^\s+([a-z-]+): (?:read|write)\b(.*)$/gm)].flatMap(([, scope = '', rest = '']) =>
    /^\s+# \S/.test(rest) ? [] : [`the permission ${scope} has no reason beside it`],
  );

function stepProblems({ uses, run, with: given }: Step): string[] {
  return [
    ...(run?.includes('${{') ? ['an expression inside run; give it through env'] : []),
    ...(uses?.startsWith('actions/checkout@') && given?.['persist-credentials'] !== false
      ? ['checkout keeps its credentials (persist-credentials: false)']
      : []),
  ];
}
