import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { parse, stringify } from 'yaml';
import { type Cloud, startCloud } from '../../../sandbox/cloud.ts';
import { type GitHubFaultRule, type SandboxGitHub, startGitHub } from '../../../sandbox/github/front.ts';
import { type BundleResult, type BundleRun, type RunningBundle, runBundle } from '../../harness/run-bundle.ts';
import { stepOf } from '../../examples/workflow-steps.ts';
import { NOT_HELD, POLICY, type Scene, scene } from './scene.ts';
import { partsOf } from './summary-parts.ts';

/** One release at a time on one account, each from blue to green; every test ends with a known color. */
let cloud: Cloud;
let stage: Scene;
let github: SandboxGitHub;
beforeAll(async () => {
  cloud = await startCloud({ clock: 'lock-step' });
  // Bad images answer well for longer than the first bake takes.
  stage = await scene(cloud, { environment: { BEHAVIOUR_AFTER_REQUESTS: '60' } });
  github = await startGitHub({
    repository: 'acme/shop',
    people: { alice: 'write', bob: 'read', carol: 'read', dave: 'write', mallory: 'read' },
  });
  github.world.beginAt(stage.world.now());
}, 60_000);
afterAll(async () => {
  await cloud?.stop();
  await github?.close();
});

/** What the README shows is what is run here, with shorter bakes. */
const [shown, APPROVERS] = [
  ...readFileSync('actions/blue-green/README.md', 'utf8').matchAll(/```yaml\n(# production-[^]*?)```/g),
].map(([, text = '']) => parse(text) as Record<string, unknown>);
const GATED = { ...POLICY, steps: shown?.['steps'] };
/** For those who wait to the end: a minute in place of ten. */
const HASTY = { ...POLICY, steps: ['10%', { to: '50%', approve: 'production-approvers.yml', within: '1m' }, '100%'] };
const REQUESTS = '/repos/acme/shop/issues';
let runs = 900;

/** A release of a run that dave started. `images` is the build's output, to which the approval is bound. */
function release(
  inputs: Readonly<Record<string, string>> = {},
  more: { readonly image?: string; readonly of?: 'good' | 'bad' | 'other'; readonly id?: string; readonly approvers?: object; readonly policy?: object } = {},
): BundleRun {
  const id = more.id ?? String(++runs);
  github.setRun({ id, actor: 'dave', triggeringActor: 'dave', attempt: 1, commit: 'c0ffee0123456789' });
  const pinned = stage.images[more.of ?? 'good'];
  const [, registry = '', repository = '', digest = ''] = /^([^/]+)\/(.+)@(sha256:.+)$/.exec(pinned) ?? [];
  const run = stage.step({
    image: more.image ?? '',
    images: JSON.stringify({ web: { repository, digest, tag: '2' } }),
    registry,
    environment: 'production',
    token: github.tokens['github-actions'] ?? '',
    ...inputs,
  });
  return {
    ...run,
    files: { ...run.files, 'policy.yml': stringify(more.policy ?? GATED), 'production-approvers.yml': stringify(more.approvers ?? APPROVERS) },
    env: { ...run.env, GITHUB_API_URL: github.url, GITHUB_REPOSITORY: 'acme/shop', GITHUB_RUN_ID: id },
  };
} // prettier-ignore

const says = (login: string, issue: string, body: string) =>
  github.as(login, `POST ${REQUESTS}/${issue}/comments`, { body });
const numberOf = (data: unknown): string => String((data as { number: number }).number);
const opened = (): number =>
  github.calls().filter(({ call, status }) => call === `POST ${REQUESTS}` && status === 201).length;
const stateOf = async (issue: string): Promise<string> =>
  ((await github.as('alice', `GET ${REQUESTS}/${issue}`)).data as { state: string }).state;
const wordsIn = async (issue: string): Promise<string> =>
  ((await github.as('alice', `GET ${REQUESTS}/${issue}/comments`)).data as { body: string }[])
    .map(({ body }) => body)
    .join('\n');

/** Runs a release; what happens once the request is open is `then`, and the number of the request is given back. */
async function played(run: BundleRun, then: (issue: string) => Promise<unknown>): Promise<{ result: BundleResult; issue: string }> {
  let issue = '';
  github.afterNext(`POST ${REQUESTS}`, async (data) => {
    issue = numberOf(data);
    await then(issue);
  });
  const result = await runBundle(run).finally(() => github.calm());
  return { result, issue };
} // prettier-ignore

const errorsOf = ({ annotations }: BundleResult): string =>
  annotations.filter(({ level }) => level === 'error').map(({ message }) => message).join('\n'); // prettier-ignore
const BACK = {
  suspended: NOT_HELD,
  weights: { blue: 100, green: 0 },
  desired: { blue: 2, green: 0 },
  phase: 'rolled-back',
};

/** One that may pass and one that cannot; all of them on demand. */
const FAULTS = (
  [
    ['500', { kind: 'status', status: 500, times: Number.POSITIVE_INFINITY }],
    ['403', { kind: 'status', status: 403, times: Number.POSITIVE_INFINITY }],
    ['429', { kind: 'status', status: 429, headers: { 'retry-after': '30' }, times: Number.POSITIVE_INFINITY }],
  ] satisfies [string, Omit<GitHubFaultRule, 'call'>][]
).slice(0, process.env['SLUICE_ALL_POINTS'] === undefined ? 2 : 3);

describe('before anything is touched', () => {
  test('a plan names who would be asked, and opens nothing', async () => {
    const result = await runBundle(release({ 'dry-run': 'true' }));
    expect(result.outputs).toMatchObject({ outcome: 'planned', changed: 'false' });
    expect(result.stdout).toContain('green at 50 % after approval by 1 of user:alice, user:bob, user:carol, user:dave (production-approvers.yml), asked for 10m at most');
    expect(opened()).toBe(0);
  }, 60_000); // prettier-ignore

  test.each([
    { name: 'that nobody can pass', approvers: { approvers: ['user:dave'] }, says: 'The gate for production cannot be passed: it needs 1 approvals and only 0 of the 1 approvers may vote (dave started this run)' },
    { name: 'with an unknown word, by its line', approvers: { approvers: ['user:alice'], minimum: 2 }, says: 'production-approvers.yml:3:1 minimum: is not a known key' },
  ])('a gate $name is refused', async ({ approvers, says: words }) => {
    const before = stage.writes().length;
    const result = await runBundle(release({}, { approvers }));
    expect(result.exitCode).toBe(1);
    expect(errorsOf(result)).toContain(words);
    expect(stage.writes().length).toBe(before);
  }, 60_000); // prettier-ignore

  test('what the approval is bound to must be known, and all that is missing is named at once', async () => {
    const result = await runBundle(release({ images: '', environment: '', token: '' }, { image: stage.images.good }));
    expect(result.exitCode).toBe(1);
    for (const input of ['images: is missing', 'environment: is missing', 'token: is missing'])
      expect(errorsOf(result)).toContain(input);
  }, 60_000);
});

describe('a step that waits for people', () => {
  test('in the step of production.yml: approved, it goes on to the end, and the approval is told', async () => {
    const id = String(++runs);
    const prepared = await runBundle(release({ mode: 'prepare' }, { id }));
    expect(prepared.outputs).toMatchObject({ outcome: 'prepared' });
    const given = release({}, { id });
    const { images = '', environment = '', ...ofTheStage } = given.inputs ?? {};
    // What sluice.yml does not say comes from the workflow: what is asked about, and for which environment.
    const { inputs } = stepOf('production.yml', 'shift', { 'inputs.images': images, 'inputs.environment': environment });
    const step = { ...given, inputs: { ...ofTheStage, ...inputs, stage: '' } };
    const { result, issue } = await played(step, (number) => says('alice', number, 'approve'));
    expect(result.stdout).toContain('50 % approved by alice');
    expect(errorsOf(result)).toBe('');
    expect(result.outputs).toMatchObject({ outcome: 'switched', verdict: 'pass' });
    expect(await stateOf(issue)).toBe('closed');
    const back = await runBundle(release({ mode: 'rollback', images: '' }));
    expect(back.outputs).toMatchObject({ outcome: 'rolled-back' });
    expect(await stage.truth()).toMatchObject(BACK);
  }, 120_000); // prettier-ignore

  test.each<[string, (issue: string) => Promise<unknown>, string]>([
    ['denied', (issue) => says('carol', issue, 'deny'), '50 % was not approved: denied by carol'],
    ['closed by somebody who may vote', (issue) => github.as('alice', `PATCH ${REQUESTS}/${issue}`, { state: 'closed' }), '50 % was not approved: denied by alice'],
    ['approved by nobody but who started it and a stranger', async (issue) => { await says('dave', issue, 'approve'); await says('mallory', issue, 'approve'); }, '50 % was not approved: nobody said no, and 1 more approval was missing in the end'],
  ])('%s: the release is rolled back and the request closed', async (_name, then, why) => {
    const { result, issue } = await played(release({}, { policy: HASTY }), then);
    expect(result.exitCode).toBe(1);
    expect(result.outputs).toMatchObject({ outcome: 'rolled-back', 'restored-at': expect.stringMatching(/Z$/) });
    expect(errorsOf(result)).toContain(why);
    expect(partsOf(result.summary)).toMatchObject({ heading: 'Blue-green: rolled-back, verdict inconclusive', says: errorsOf(result), charts: [{}] });
    expect(result.stdout).not.toContain('Weight 10 -> 50');
    expect(await stage.truth()).toMatchObject(BACK);
    expect(await stateOf(issue)).toBe('closed');
  }, 120_000); // prettier-ignore

  test('a release that turns bad meanwhile is rolled back at once, and its request is closed with the reason', async () => {
    const { result, issue } = await played(release({}, { of: 'bad' }), () => Promise.resolve());
    expect(errorsOf(result)).toContain('Rolled back to blue: error-rate');
    expect(result.outputs['outcome']).toBe('rolled-back');
    expect(await stateOf(issue)).toBe('closed');
    expect(await wordsIn(issue)).toContain('Not approved: the release was rolled back');
  }, 120_000); // prettier-ignore

  test.each(FAULTS)(
    '%s of GitHub is no approval, whatever stands in the request',
    async (_name, fault) => {
      const { result } = await played(release({}, { policy: HASTY }), async (issue) => {
        await says('alice', issue, 'approve');
        github.addFault({ call: `GET ${REQUESTS}/${issue}/comments`, ...fault });
      });
      expect(result.outputs['outcome']).toBe('rolled-back');
      expect(result.stdout).not.toContain('Weight 10 -> 50');
      expect(errorsOf(result)).toContain('50 % was not approved');
      expect(await stage.truth()).toMatchObject(BACK);
    },
    120_000,
  );

  test('killed after its request was opened and before the record knew it: that one is closed unread, and a new one asks', async () => {
    const orphan: string[] = [];
    let dying: RunningBundle | undefined;
    github.afterNext(`POST ${REQUESTS}`, async (data) => {
      dying?.signal('SIGKILL');
      orphan.push(numberOf(data));
    });
    const died = await runBundle({ ...release(), onSpawn: (running) => (dying = running) });
    expect(died.signal).toBe('SIGKILL');
    const [left = ''] = orphan;
    expect((await runBundle(release({ mode: 'status', images: '' }))).stdout).not.toContain(`request ${left} asks`);
    await says('alice', left, 'approve');
    await stage.world.advance(120_000);
    const { result, issue } = await played({ ...release({ 'on-stale': 'resume' }), timeout: 110_000 }, (number) => says('bob', number, 'deny'));
    expect(issue).not.toBe(left);
    expect(errorsOf(result)).toContain('50 % was not approved: denied by bob');
    expect([await stateOf(left), await stateOf(issue)]).toEqual(['closed', 'closed']);
    expect(await stage.truth()).toMatchObject(BACK);
  }, 120_000); // prettier-ignore

  test('killed meanwhile and resumed: one request, in which approvals of before count no more', async () => {
    const id = String(++runs);
    const before = opened();
    let issue = '';
    github.afterNext(`POST ${REQUESTS}`, async (data) => void (issue = numberOf(data)));
    const died = await runBundle({ ...release({}, { id }), signalAt: { output: /Waiting for approval of 50 %: /, signal: 'SIGKILL' } });
    expect(died.signal).toBe('SIGKILL');
    await says('alice', issue, 'approve');
    const status = await runBundle(release({ mode: 'status', images: '' }, { id }));
    expect(status.stdout).toContain(`request ${issue} asks alice, bob, carol`);
    await stage.world.advance(120_000);
    github.afterNext(`POST ${REQUESTS}/${issue}/comments`, async () => void (await says('bob', issue, 'approve')));
    const resumed = await runBundle({ ...release({ 'on-stale': 'resume' }), timeout: 110_000 });
    expect(resumed.stdout).toContain('50 % approved by bob');
    expect(resumed.outputs).toMatchObject({ outcome: 'promoted', verdict: 'pass' });
    expect(opened()).toBe(before + 1);
    expect(await stateOf(issue)).toBe('closed');
    expect(await wordsIn(issue)).toContain('goes on with this request');
  }, 120_000); // prettier-ignore

  test('killed, and reconcile would resume but has nothing that a request needs: it looks, and goes back', async () => {
    const reconcile = (): BundleRun => release({ mode: 'reconcile', images: '', token: '', 'on-stale': 'resume' });
    const idle = await runBundle(reconcile());
    expect([idle.exitCode, idle.outputs['outcome']]).toEqual([0, 'nothing-to-do']);
    const died = await runBundle({ ...release({}, { of: 'bad' }), signalAt: { output: / serves 10 % since now/, signal: 'SIGKILL' } });
    expect(died.signal).toBe('SIGKILL');
    await stage.world.advance(120_000);
    const result = await runBundle(reconcile());
    expect([result.exitCode, result.outputs['outcome']]).toEqual([0, 'rolled-back']);
    const warned = result.annotations.filter(({ level }) => level === 'warning').map(({ message }) => message).join('\n');
    expect(warned).toMatch(/cannot be gone on with, so its traffic goes back: .*images: is missing/s);
    expect((await stage.truth()).phase).toBe('rolled-back');
  }, 120_000); // prettier-ignore

  test('one process from the first task to the end: approved, it is promoted, and the color of before is drained', async () => {
    const { result, issue } = await played(release({}, { of: 'other' }), (number) => says('alice', number, 'approve'));
    expect(errorsOf(result)).toBe('');
    expect(result.stdout).toContain('50 % approved by alice');
    expect(result.outputs).toMatchObject({ outcome: 'promoted', verdict: 'pass' });
    expect(await stateOf(issue)).toBe('closed');
    expect(await stage.truth()).toMatchObject({ weights: { blue: 100, green: 0 }, desired: { green: 0 }, phase: 'done', suspended: NOT_HELD });
  }, 120_000); // prettier-ignore
});
