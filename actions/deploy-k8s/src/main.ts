import type { ResolvedChecks } from '../../../src/domain/checks/document.ts';
import { withCheckSecrets } from '../../../src/domain/checks/target-inputs.ts';
import { between } from '../../../src/domain/duration.ts';
import { Failure } from '../../../src/domain/failure.ts';
import { InvalidInput } from '../../../src/domain/inputs.ts';
import { planText } from '../../../src/domain/kubernetes/diff.ts';
import { type ImageChange, unapproved } from '../../../src/domain/kubernetes/image-rules.ts';
import type { Manifest } from '../../../src/domain/kubernetes/manifest.ts';
import type { Annotation, Report } from '../../../src/domain/report.ts';
import type { ActionDefinition, ActionTools } from '../../../src/runtime/action.ts';
import { checkApproval } from '../../../src/runtime/check-approval.ts';
import { readChecks } from '../../../src/runtime/read-checks.ts';
import { runAction } from '../../../src/runtime/run-action.ts';
import {
  type Checking,
  type Context,
  backUp,
  deploy,
  goBack,
  leave,
  lookAt,
  planRestore,
  planScale,
  restore,
  rolesOf,
  scale,
  undo,
} from './execute.ts';
import { spec, toRequest } from './inputs.ts';
import { plannedBack, shownPlan } from './main/plans.ts';
import type { ChecksWish, Request, SetWish } from './request.ts';
import { NO_OUTPUTS, type Outcome, lineReport, reportOf, rolesReport, statusReport } from './report.ts';
import { backupReport, restorePlanReport } from './report/backup.ts';

const FOLLOWING = 'following';
const STANDS = 'stands';
const TOUCHED = 'touched';
const PROCESS = 'process';

const definition: ActionDefinition<typeof spec, Request> = {
  name: 'deploy-k8s',
  spec,
  toRequest,
  underWay: FOLLOWING,
  async main(request, tools) {
    if (request.mode === 'deploy') await checkApproval(request, tools);
    const checking = await checkingOf(request, tools);
    const set = 'set' in request ? await readSet(request.set, request, tools) : undefined;
    if (set !== undefined) checkImages(request, set);
    const opened = await open(request, checking, tools);
    try {
      const report = await act(request, set?.manifests ?? [], opened.context, tools);
      return { ...report, annotations: [...(set?.warnings ?? []), ...opened.warnings, ...(report.annotations ?? [])] };
    } finally {
      await opened.close();
    }
  },
  /** main was cancelled or died, or lost its way back: what it began is taken back and awaited, unless it shall be left. */
  async post(request, tools) {
    const left = tools.savedState(FOLLOWING) ?? '';
    if (left === '') return undefined;
    const stands = tools.savedState(STANDS);
    if (request.mode === 'deploy' && request.onCancel === 'leave' && stands !== 'going-back' && stands !== 'left') {
      tools.log.info(
        `Release ${left} stays as it is, as asked (on-cancel: leave); the next run goes on with it or takes it back`,
      );
      return undefined;
    }
    const opened = await open(request, undefined, tools);
    try {
      const startedAt = tools.clock.now();
      if (stands === 'left') return await endLeft(left, opened.context, tools);
      const result = await undo(opened.context, tools.signal).catch((thrown: unknown) => {
        if (!(thrown instanceof Failure)) throw thrown;
        const now = `Release ${left} is not taken back: what it applied stands${touchedBy(tools)}, and its record says that it is unfinished`;
        const next = 'Run mode: rollback when the API server answers, or release again: it is taken back first then';
        throw new Failure({ ...thrown.facts, now, next }, { cause: thrown });
      });
      tools.saveState(FOLLOWING, '');
      if (result === undefined) return undefined;
      const report = reportOf(result, request, { took: between(startedAt, tools.clock.now()), by: 'post' });
      // The step is red already; post is red when it could not bring back what served.
      return result.outcome === 'rolled-back' ? { ...report, conclusion: 'success' } : report;
    } finally {
      await opened.close();
    }
  },
};

function touchedBy({ savedState }: Pick<ActionTools, 'savedState'>): string {
  const names = savedState(TOUCHED) ?? '';
  return names === '' ? '' : ` (${names})`;
}

/** The record of a release that stays (`on-failure: leave`) says so, that no later run takes it for one under way. */
async function endLeft(left: string, context: Context, tools: ActionTools): Promise<Report | undefined> {
  const { ref } = context;
  const record = await leave(context, tools.signal).catch((thrown: unknown) => {
    if (!(thrown instanceof Failure)) throw thrown;
    const now = `What was applied of release ${left} stands as it is${touchedBy(tools)}, and its record says that it is unfinished`;
    const next = 'Run mode: rollback when the API server answers; a run of the same set goes on with it';
    throw new Failure({ ...thrown.facts, now, next }, { cause: thrown });
  });
  tools.saveState(FOLLOWING, '');
  if (record === undefined) return undefined;
  const headline = `${ref.app}: release ${left} (revision ${record.revision}) failed and stands as it is; its record says so now.`;
  return { conclusion: 'success', outcome: 'failed', headline, changed: true, outputs: NO_OUTPUTS, summary: [] };
}

async function act(
  request: Request,
  manifests: readonly Manifest[],
  context: Context,
  tools: ActionTools,
): Promise<Report> {
  const { log, signal } = tools;
  switch (request.mode) {
    case 'status': {
      const report = statusReport(await lookAt(context, signal), request);
      log.verbatim('Status', report.lines.join('\n'));
      return report;
    }
    case 'rbac': {
      const roles = await rolesOf(request, manifests, context, signal);
      const { writeYaml } = await import('../../../src/adapters/kubernetes/write-yaml.ts');
      const yaml = writeYaml(roles);
      log.verbatim('Rights', yaml);
      return rolesReport(yaml, roles, request);
    }
    case 'diff':
      return shownPlan(request, manifests, context, tools);
    case 'deploy':
      if (request.dryRun === 'yes') return shownPlan(request, manifests, context, tools);
      return timed(request, tools, () => deploy(request, manifests, context, signal));
    case 'rollback':
      if (request.dryRun === 'yes') return plannedBack(request, context, tools);
      return timed(request, tools, () => goBack(request, context, signal));
    case 'scale':
      if (request.dryRun === 'no') return timed(request, tools, () => scale(request, context, signal));
      return lineReport([], request, await planScale(request, context, signal));
    case 'backup':
    case 'restore':
      return backupOrRestore(request, context, tools);
  }
}

async function backupOrRestore(
  request: Extract<Request, { mode: 'backup' | 'restore' }>,
  context: Context,
  tools: ActionTools,
): Promise<Report> {
  const { openBackups } = await import('../../../src/adapters/kubernetes/open-backups.ts');
  const store = await openBackups({ ...request, aws: awsOf(request) }, tools, tools.signal);
  const { clock, signal } = tools;
  const startedAt = clock.now();
  if (request.mode === 'backup') {
    const result = await backUp(request, store, context, signal);
    return backupReport(result, request, { took: between(startedAt, clock.now()), where: store.name });
  }
  if (request.dryRun === 'yes') {
    const planned = await planRestore(request, store, context, signal);
    tools.log.verbatim('Plan', planned.lines.join('\n'));
    return restorePlanReport(planned, request);
  }
  let name = '';
  const report = await timed(request, tools, async () => {
    const result = await restore(request, store, context, signal);
    ({ name } = result);
    return result;
  });
  return { ...report, outputs: { ...report.outputs, backup: name } };
}

async function timed(request: Request, { clock, log }: ActionTools, work: () => Promise<Outcome>): Promise<Report> {
  const startedAt = clock.now();
  const result = await work();
  if (result.diagnosis.length > 0) log.verbatim('What was seen', result.diagnosis.join('\n'));
  const { sha256 } = await import('../../../src/adapters/system/digest.ts');
  return reportOf(result, request, { took: between(startedAt, clock.now()), hash: sha256(planText(result.plan)) });
}

/** Everything that is wrong with checks and rules is said before the first call to the cluster. */
async function checkingOf(request: Request, tools: ActionTools): Promise<Checking | undefined> {
  const wish = 'checks' in request ? request.checks : undefined;
  if (wish === undefined) return undefined;
  const { httpProber } = await import('../../../src/adapters/http/prober.ts');
  const { systemRandom } = await import('../../../src/adapters/system/random.ts');
  const prober = httpProber();
  const document = wish.file === undefined ? undefined : await documentOf(wish, wish.file, tools);
  const url = wish.url ?? document?.target;
  if (url === undefined) {
    const accepted = 'the base URL that users reach, or target in the file';
    throw new InvalidInput(`The checks of ${wish.file}`, [{ input: 'url', problem: 'is missing', accepted }]);
  }
  const { host, expectVersion } = wish;
  const target = {
    url,
    headers: {},
    ...(host === undefined ? {} : { host }),
    ...(expectVersion === undefined ? {} : { expectVersion }),
  };
  const rules = await rulesOf(wish, { prober, url }, tools);
  return { document, target, prober, random: systemRandom(), mask: tools.mask, rules };
}

async function rulesOf(
  { policy, recheck: length, host }: ChecksWish,
  { prober, url }: { readonly prober: Checking['prober']; readonly url: string },
  tools: ActionTools,
): Promise<Checking['rules']> {
  if (policy === undefined) return undefined;
  const { metricsByRequests } = await import('../../../src/adapters/metrics/by-requests.ts');
  return { policy, length, metrics: metricsByRequests(policy, { ...tools, prober, host, url: () => url }) };
}

async function documentOf(wish: ChecksWish, file: string, tools: ActionTools): Promise<ResolvedChecks> {
  const { matchers } = await import('../../../src/adapters/http/matchers.ts');
  const environment = withCheckSecrets(tools.environment, wish.secrets);
  const target = wish.url === undefined ? 'of-document' : 'elsewhere';
  return readChecks(file, { matchers, environment, target, expectVersion: wish.expectVersion }, tools);
}

/** Everything that is wrong with the manifests is said with its lines, before the first call to the cluster. */
async function readSet(set: SetWish, { namespace }: Request, tools: ActionTools) {
  const { readManifestSet } = await import('../../../src/adapters/kubernetes/manifest-set.ts');
  const secretValues = secretValuesOf(set, tools);
  const read = await readManifestSet(
    { ...set, namespace, secretValues },
    { workspace: tools.run.workspace, mask: tools.mask },
    tools.signal,
  );
  for (const { where, from, to } of read.images) tools.log.info(`${where}: ${from === to ? to : `${from} -> ${to}`}`);
  return { manifests: read.manifests, images: read.images, warnings: read.warnings.map(warningOf) };
}

/** The step's environment holds the action's own inputs and the runner's tokens too: only what is named is taken from it. */
function secretValuesOf({ secretValues, secretEnv }: SetWish, tools: ActionTools): ReadonlyMap<string, string> {
  const fromEnvironment = secretEnv.flatMap((name) => {
    const value = secretValues.get(name) ? undefined : tools.environment(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  const names = fromEnvironment.map(([name]) => name);
  if (names.length > 0) tools.log.info(`Taken from the environment of the step, for Secrets: ${names.join(', ')}`);
  const all = new Map([...secretValues, ...fromEnvironment]);
  for (const value of all.values()) tools.mask(value);
  return all;
}

/** An approval is for images; what comes out of the manifests must be those. */
function checkImages(
  request: Request,
  { manifests, images }: { readonly manifests: readonly Manifest[]; readonly images: readonly ImageChange[] },
): void {
  if (request.mode !== 'deploy' || request.approval.kind === 'none') return;
  const problems = unapproved(manifests, images, Object.values(request.approval.images));
  if (problems.length > 0) throw new InvalidInput('The approval does not hold for the manifests', problems);
}

const warningOf = (message: string): Annotation => ({ level: 'warning', title: 'deploy-k8s', message });

async function open(request: Request, checking: Checking | undefined, tools: ActionTools) {
  const [{ openKubernetes }, { secretStore }, { hmac, sha256 }, { systemRandom }] = await Promise.all([
    import('../../../src/adapters/kubernetes/open.ts'),
    import('../../../src/adapters/kubernetes/release-store.ts'),
    import('../../../src/adapters/system/digest.ts'),
    import('../../../src/adapters/system/random.ts'),
  ]);
  const { access } = request;
  const warnings: Annotation[] = [];
  const aws = awsOf(request);
  const onWarning = (text: string): unknown => warnings.push(warningOf(`The API server warns: ${text}`));
  const {
    cluster,
    namespace: own,
    close,
  } = await openKubernetes({ wish: access, aws }, { ...tools, onWarning }, tools.signal);
  const namespace = request.namespace ?? own ?? 'default';
  const { clock, log, run } = tools;
  const random = systemRandom();
  const process = tools.savedState(PROCESS) || random.token();
  tools.saveState(PROCESS, process);
  const context: Context = {
    tools: {
      cluster,
      store: secretStore(cluster, request.app, namespace),
      clock,
      log,
      sha256,
      hmac,
      random,
      onWrite: tools.willChange,
    },
    process,
    ref: { app: request.app, namespace },
    run: `${run.runId}/${run.attempt}`,
    release: request.release ?? (run.commit.slice(0, 12) || run.runId),
    checking,
    onFollowing(following) {
      tools.saveState(FOLLOWING, following?.release ?? '');
      tools.saveState(STANDS, following?.stands ?? '');
      tools.saveState(TOUCHED, namesForPost(following?.touched ?? []));
    },
  };
  return { context, warnings, close };
}

/** A state becomes a variable of the post step, and one that is too long keeps it from being started. */
const NAMES_FOR_POST = 50;
const namesForPost = (names: readonly string[]): string =>
  names.length <= NAMES_FOR_POST
    ? names.join(', ')
    : `${names.slice(0, NAMES_FOR_POST).join(', ')} and ${names.length - NAMES_FOR_POST} more`;

const awsOf = ({ region, roleToAssume, allowedAccountIds }: Request) => ({
  ...(region === undefined ? {} : { region }),
  ...(roleToAssume === undefined ? {} : { roleToAssume }),
  ...(allowedAccountIds === undefined ? {} : { allowedAccountIds }),
});

export const main = (): Promise<void> => runAction(definition, 'main');
export const post = (): Promise<void> => runAction(definition, 'post');
