import { parse } from 'yaml';
import { type SandboxGitHub, startGitHub } from '../../sandbox/github/front.ts';
import { type GateResult, type Ports, execute } from '../../actions/approval-gate/src/execute.ts';
import { type Request, spec, toRequest } from '../../actions/approval-gate/src/inputs.ts';
import { githubClient } from '../../src/adapters/github/client.ts';
import { githubCode } from '../../src/adapters/github/code-host.ts';
import { githubIssues } from '../../src/adapters/github/issue-tracker.ts';
import { sha256 } from '../../src/adapters/system/digest.ts';
import { instant } from '../../src/domain/duration.ts';
import type { InputField, InputsOf } from '../../src/domain/inputs.ts';
import type { Clock } from '../../src/ports/clock.ts';
import { recordingLog } from '../fakes/log.ts';

export const REQUESTS = '/repos/acme/shop/issues';
export const COMMIT = 'c0ffee0123456789c0ffee0123456789c0ffee01';
export const IMAGES = JSON.stringify({
  web: { repository: 'acme/web', digest: `sha256:${'a'.repeat(64)}`, tag: '1.4.0' },
});

/** dave starts every run. alice, bob and carol are the approvers; mallory and walter (who may write) are not. */
const PEOPLE = {
  alice: 'write',
  bob: 'read',
  carol: 'read',
  dave: 'write',
  mallory: 'read',
  walter: 'write',
  nora: 'read',
} as const;
export type Login = keyof typeof PEOPLE;

/** One history: what people do, and when, from the moment at which the request is open. */
export interface Scene {
  readonly github: SandboxGitHub;
  /** Number of the request. */
  readonly issue: string;
  says(login: Login, body: string): Promise<number>;
  edits(login: Login, comment: number, body: string): Promise<void>;
  deletes(login: Login, comment: number): Promise<void>;
  sets(login: Login, change: Record<string, unknown>): Promise<void>;
  /** Lets seconds of the server's time pass before the next act; the gate does not look meanwhile. */
  pause(seconds: number): void;
  /** Does it when the gate has waited so many seconds from now on: it looks before and after. */
  later(seconds: number, act: () => Promise<unknown>): void;
  /** What the request shows, e.g. its code. */
  body(): Promise<string>;
}

export interface Played {
  readonly outcome: string;
  /** Everything that was said: the outcome with its facts, the log, what was thrown. */
  readonly words: string;
  readonly result: GateResult | undefined;
  readonly comments: readonly { readonly user: { readonly login: string }; readonly body: string }[];
  readonly github: SandboxGitHub;
}

export interface Plot {
  readonly inputs?: Readonly<Record<string, string>>;
  /** What is so before the gate begins. */
  readonly before?: (github: SandboxGitHub) => Promise<void> | void;
  readonly story?: (scene: Scene) => Promise<void>;
  /** Whose token opens the request; the job's without it. */
  readonly token?: Login | 'app';
  readonly attempt?: { readonly number: number; readonly triggeringActor: Login };
}

const RUN = '4711';

/** Plays a history through the sandbox's GitHub with real tokens, against the gate over its real adapter. */
export async function play(plot: Plot): Promise<Played> {
  const github = await startScene();
  return playIn(github, plot).finally(() => github.close());
}

export const startScene = (): Promise<SandboxGitHub> => startGitHub({ repository: 'acme/shop', people: PEOPLE });

/** The same in a GitHub that other histories share, for those that change nothing beside their own request. */
export async function playIn(github: SandboxGitHub, plot: Plot): Promise<Played> {
  const log = recordingLog();
  const { number: attempt, triggeringActor } = plot.attempt ?? { number: 1, triggeringActor: 'dave' };
  github.setRun({ id: RUN, actor: 'dave', triggeringActor, attempt, commit: COMMIT });
  await plot.before?.(github);
  const clock = sceneClock(github);
  const opened = { issue: '' };
  github.afterNext(`POST ${REQUESTS}`, async (data) => {
    opened.issue = String((data as { number: number }).number);
    await plot.story?.(sceneOf(github, opened.issue));
  });
  const ports = portsOf(github, { plot, clock, log });
  const context = {
    repository: 'acme/shop',
    server: 'https://github.com',
    runId: RUN,
    runUrl: 'https://github.com/run',
  };
  const ended = await execute(requestOf(plot, github), context, ports, new AbortController().signal).then(
    (result) => ({ result, thrown: undefined }),
    (thrown: unknown) => ({ result: undefined, thrown }),
  );
  github.calm();
  const comments = await github.as('alice', `GET ${REQUESTS}/${opened.issue || '1'}/comments`);
  return {
    outcome: ended.result?.outcome.kind ?? 'refused',
    words: [
      JSON.stringify(ended.result?.outcome),
      ended.thrown === undefined ? '' : String(ended.thrown),
      ...log.lines,
    ].join('\n'),
    result: ended.result,
    comments: Array.isArray(comments.data) ? (comments.data as Played['comments']) : [],
    github,
  };
}

interface Playing {
  readonly plot: Plot;
  readonly clock: Clock;
  readonly log: ReturnType<typeof recordingLog>;
}

function portsOf(github: SandboxGitHub, { plot, clock, log }: Playing): Ports {
  const auth =
    plot.token === 'app' || plot.inputs?.['app-id'] !== undefined
      ? ({
          kind: 'app',
          appId: plot.inputs?.['app-id'] ?? String(github.app.id),
          privateKey: plot.inputs?.['private-key'] ?? github.app.privateKey,
        } as const)
      : ({ kind: 'token', token: github.tokens[plot.token ?? 'github-actions'] ?? '' } as const);
  const client = githubClient({ auth, apiUrl: github.url, repository: 'acme/shop', clock });
  return {
    tracker: githubIssues(client),
    code: githubCode(client),
    clock,
    log,
    sha256,
    random: { fraction: () => 0.5 },
    parseYaml: (text) => parse(text) as unknown,
    recordFile: undefined,
    onOpened: () => undefined,
  };
}

/** The server's clock is the gate's; whoever has an appointment keeps it while the gate sleeps. */
function sceneClock(github: SandboxGitHub): Clock {
  return {
    now: () => instant(github.world.now()),
    async sleep(length) {
      await github.keepAppointments(github.world.now() + length);
    },
  };
}

function sceneOf(github: SandboxGitHub, issue: string): Scene {
  const done = async (login: Login, call: string, body?: unknown): Promise<unknown> => {
    const { status, data } = await github.as(login, call, body);
    if (status >= 300) throw new Error(`${login}: ${call} was answered ${status}`);
    return data;
  };
  return {
    github,
    issue,
    async says(login, body) {
      return ((await done(login, `POST ${REQUESTS}/${issue}/comments`, { body })) as { id: number }).id;
    },
    async edits(login, comment, body) {
      await done(login, `PATCH ${REQUESTS}/comments/${comment}`, { body });
    },
    async deletes(login, comment) {
      await done(login, `DELETE ${REQUESTS}/comments/${comment}`);
    },
    async sets(login, change) {
      await done(login, `PATCH ${REQUESTS}/${issue}`, change);
    },
    pause: (seconds) => github.world.pass(seconds * 1_000),
    later: (seconds, act) =>
      github.at(github.world.now() + seconds * 1_000, async () => {
        await act();
      }),
    async body() {
      return ((await done('alice', `GET ${REQUESTS}/${issue}`)) as { body: string }).body;
    },
  };
}

/** Inputs as a workflow gives them, read by the action's own fields. */
function requestOf(plot: Plot, github: SandboxGitHub): Request {
  const given: Record<string, string> = {
    environment: 'production',
    images: IMAGES,
    approvers: 'user:alice\nuser:bob\nuser:carol',
    'minimum-approvals': '2',
    timeout: '10m',
    token: github.tokens['github-actions'] ?? '',
    ...plot.inputs,
  };
  const values = Object.fromEntries(
    Object.entries(spec as Record<string, InputField<unknown>>).map(([name, field]) => {
      const text = given[name] ?? field.fallback;
      if (text === undefined) return [name, undefined];
      const read = field.read(field.form === 'structure' ? parse(text) : text);
      if (!read.ok) throw new Error(`${name} ${read.problem}`);
      return [name, read.value];
    }),
  );
  const request = toRequest(values as InputsOf<typeof spec>);
  if (!request.ok) throw new Error(JSON.stringify(request.problems));
  return request.value;
}
