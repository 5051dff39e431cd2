import { createHash, randomUUID } from 'node:crypto';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import { type Emulator, createEmulator } from 'emulate';
import { appKey, installationToken, isAppJwt } from './app-token.ts';
import { type Reply, json, problem } from './reply.ts';
import { APP_GRANTS, JOB_APP, JOB_GRANTS, OWN_APP, emulatorSeed } from './seed.ts';
import { bodyOf, bodyTextOf, listen, matches, requestAs } from './wire.ts';
import { type Answer, faulty, grantProblem } from './refusals.ts';
import { type People, ownAnswer } from './routes.ts';
import type { GitHubCall, GitHubFaultRule, GitHubSeed, SandboxGitHub } from './types.ts';
import { type Caller, World } from './world.ts';

export type { GitHubCall, GitHubFaultRule, GitHubSeed, SandboxGitHub } from './types.ts';
export type { CheckSeed, CommitSeed, Grants, PullSeed, WorkflowRun } from './world.ts';

const LONGEST_BODY = 65_536;
/** Every answer takes so long in lock-step time. */
const LATENCY = 120;
export async function startGitHub(seed: GitHubSeed): Promise<SandboxGitHub> {
  const [owner = '', name = ''] = seed.repository.split('/');
  const logins = Object.keys(seed.people);
  const personal = Object.fromEntries(logins.map((login) => [login, `ghp_${randomUUID().replaceAll('-', '')}`]));
  const emulator = await createEmulator({ service: 'github', port: 0, seed: emulatorSeed(owner, name, personal) });
  const world = new World();
  for (const login of logins) {
    const permission = seed.people[login] ?? 'read';
    const token = personal[login] ?? '';
    world.permissions.set(login, permission);
    world.callers.set(token, { login, token, shown: token, permission });
  }
  const job: Caller = {
    login: 'github-actions[bot]',
    token: await installationToken(emulator, JOB_APP, 1),
    shown: `ghs_${randomUUID().replaceAll('-', '')}`,
    permission: 'write',
    grants: seed.jobGrants ?? JOB_GRANTS,
  };
  world.callers.set(job.shown, job);
  const front = new Front(emulator, world, await installationToken(emulator, OWN_APP.id, OWN_APP.installation));
  const server = createServer((request, response) => void front.answer(request, response));
  const url = await listen(server);
  front.url = url;
  return {
    url,
    tokens: { ...personal, 'github-actions': job.shown },
    app: { id: OWN_APP.id, privateKey: appKey() },
    world,
    setRun: (run) => world.runs.set(run.id, run),
    addFault: (fault) => front.faults.push({ ...fault, left: fault.times }),
    calm() {
      front.faults.splice(0);
      front.hooks.splice(0);
      front.appointments.splice(0);
    },
    afterNext: (call, act) => void front.hooks.push({ call, act }),
    at: (moment, act) => void front.appointments.push({ moment, act }),
    keepAppointments: (now) => front.keepAppointments(now),
    calls: () => [...front.log],
    as: (login, call, body) => requestAs(url, personal[login] ?? '', call, body),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await emulator.close();
    },
  };
}

class Front implements People {
  url = '';
  readonly faults: (GitHubFaultRule & { left: number })[] = [];
  readonly log: GitHubCall[] = [];
  readonly hooks: { readonly call: string; readonly act: (data: unknown) => Promise<void> }[] = [];
  readonly appointments: { readonly moment: number; readonly act: () => Promise<void> }[] = [];
  private acting: Promise<void> = Promise.resolve();
  private readonly known = new Map<string, Reply>();
  private readonly emulator: Emulator;
  private readonly world: World;
  private readonly appToken: string;

  constructor(emulator: Emulator, world: World, appToken: string) {
    this.emulator = emulator;
    this.world = world;
    this.appToken = appToken;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '/';
    const call = `${request.method} ${path.split('?')[0]}`;
    const theirNow = Number(request.headers['x-sluice-now'] ?? Number.NaN);
    if (theirNow > 0) await this.keepAppointments(theirNow);
    const shown = /^(?:bearer|token) (.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
    const body = await bodyOf(request);
    const caller = this.world.callers.get(shown);
    const fault = this.faults.find((each) => each.left > 0 && matches(each.call, call));
    if (fault !== undefined) fault.left -= 1;
    const answer = fault === undefined ? await this.decide({ call, path, shown, body, request }) : faulty(fault);
    const status = typeof answer === 'string' ? 0 : answer.status;
    this.log.push({ call, status, who: caller?.login ?? 'nobody', at: this.world.now() });
    if (fault === undefined) await this.runHook(call, answer);
    const spent = caller === undefined ? undefined : this.world.spend(caller, status);
    if (answer === 'reset') request.socket.destroy();
    else if (answer !== 'hang') this.send(response, answer, spent, theirNow);
  }

  /** One after the other: a call that comes meanwhile must not move the time on while somebody acts. */
  keepAppointments(now: number): Promise<void> {
    this.acting = this.acting.then(() => this.act(now));
    return this.acting;
  }

  private async act(now: number): Promise<void> {
    const due = this.appointments.filter(({ moment }) => moment <= now).sort((a, b) => a.moment - b.moment);
    for (const { moment, act } of due) {
      this.appointments.splice(
        this.appointments.findIndex((each) => each.act === act),
        1,
      );
      this.world.learn(moment);
      await act();
    }
    this.world.learn(now);
  }

  private async runHook(call: string, answer: Answer): Promise<void> {
    const index = this.hooks.findIndex((hook) => matches(hook.call, call));
    if (index < 0 || typeof answer === 'string' || answer.status >= 400) return;
    const [hook] = this.hooks.splice(index, 1);
    await hook?.act(JSON.parse(answer.body || 'null'));
  }

  private async decide({ call, path, shown, body, request }: Asked): Promise<Answer> {
    const asApp = this.appAnswer(call, shown);
    if (asApp !== undefined) return asApp;
    const caller = this.world.callers.get(shown);
    if (caller === undefined || this.world.now() >= (caller.endsAt ?? Number.POSITIVE_INFINITY))
      return problem(401, 'Bad credentials');
    const refused = this.limitOf(caller) ?? grantProblem(call, caller) ?? (await this.refusal(call, caller, body));
    if (refused !== undefined) return refused;
    const url = new URL(path, this.url);
    const { world } = this;
    const answer =
      (await ownAnswer(call, url, { world, people: this, caller, body })) ??
      this.lost(call) ??
      (await this.forward(request.method ?? 'GET', path, caller.token, body));
    this.remember(call, answer);
    const told = this.withTimes(call, answer);
    if (request.method !== 'GET' || told.status !== 200) return told;
    const etag = `W/"${createHash('sha256').update(`${shown}\n${told.body}`).digest('hex')}"`;
    if (request.headers['if-none-match'] === etag) return { status: 304, headers: { etag }, body: '' };
    return { ...told, headers: { ...told.headers, etag } };
  }

  /** What an App may do with its own JWT: find its installation and mint a token for it. */
  private appAnswer(call: string, shown: string): Reply | undefined {
    if (!/^(?:GET \/repos\/[^/]+\/[^/]+\/installation|POST \/app\/installations\/\d+\/access_tokens)$/.test(call))
      return undefined;
    const app = { id: OWN_APP.id, privateKey: appKey() };
    if (!isAppJwt(shown, app, this.world.now())) return problem(401, 'A JSON web token could not be decoded');
    if (call.startsWith('GET ')) return json({ id: OWN_APP.installation, app_id: OWN_APP.id });
    const minted = this.world.mint({ login: `${OWN_APP.slug}[bot]`, token: this.appToken, grants: APP_GRANTS });
    return json({ token: minted.shown, expires_at: this.world.second(minted.endsAt), permissions: APP_GRANTS }, 201);
  }

  private limitOf(caller: Caller): Reply | undefined {
    return this.world.exhausted(caller) ? problem(403, `API rate limit exceeded for ${caller.login}.`) : undefined;
  }

  private lost(call: string): Reply | undefined {
    const number = / \/repos\/[^/]+\/[^/]+\/issues\/(\d+)/.exec(call)?.[1] ?? '';
    const fate = this.world.lostIssues.get(number);
    if (!this.world.issuesOn && / \/repos\/[^/]+\/[^/]+\/issues/.test(call))
      return problem(410, 'Issues are disabled for this repo');
    if (fate === 'deleted') return problem(410, 'This issue was deleted');
    if (fate === 'transferred')
      return problem(301, 'Moved Permanently', { location: `${this.url}/repositories/2/issues/${number}` });
    return undefined;
  }

  /** Editing, closing, reopening, deleting: only the author or whoever has write access. emulate lets everybody. */
  private async refusal(call: string, caller: Caller, body: string): Promise<Reply | undefined> {
    if (bodyTextOf(body).length > LONGEST_BODY)
      return problem(422, 'Validation Failed: body is too long (maximum is 65536 characters)');
    const permission = caller.grants === undefined ? this.world.permissions.get(caller.login) : caller.permission;
    if (!/^(?:PATCH|DELETE|PUT) /.test(call) || permission === 'write') return undefined;
    const own = await this.forward('GET', call.replace(/^\w+ /, ''), caller.token, '');
    const author = (JSON.parse(own.body || '{}') as { user?: { login?: string } }).user?.login;
    return author === caller.login ? undefined : problem(403, 'Must have admin rights to Repository.');
  }

  private remember(call: string, answer: Reply): void {
    if (answer.status >= 300) return;
    const changed = /^(PATCH|DELETE) \/repos\/[^/]+\/[^/]+\/issues\/comments\/(\d+)$/.exec(call);
    if (changed?.[1] === 'PATCH') this.world.edited(Number(changed[2]));
    if (changed?.[1] === 'DELETE') Object.assign(this.world.comments.get(Number(changed[2])) ?? {}, { deleted: true });
    if (!/^POST \/repos\/[^/]+\/[^/]+\/issues\/\d+\/comments$/.test(call)) return;
    const { id, node_id: nodeId } = JSON.parse(answer.body) as { id: number; node_id: string };
    this.world.wrote(id, nodeId);
  }

  /** Comments with the front's own times and what emulate does not keep of them. */
  private withTimes(call: string, answer: Reply): Reply {
    if (answer.status >= 300 || !/\/issues\/(?:\d+\/comments|comments\/\d+)$/.test(call) || answer.body === '')
      return answer;
    const told = (comment: Record<string, unknown>): Record<string, unknown> => {
      const facts = this.world.comments.get(Number(comment['id']));
      if (facts === undefined) return comment;
      return {
        ...comment,
        created_at: this.world.second(facts.createdAt),
        updated_at: this.world.second(facts.updatedAt),
        performed_via_github_app: facts.viaApp === true ? { slug: 'somebody' } : null,
      };
    };
    const data = JSON.parse(answer.body) as Record<string, unknown> | Record<string, unknown>[];
    return { ...answer, body: JSON.stringify(Array.isArray(data) ? data.map(told) : told(data)) };
  }

  async byLogin(login: string): Promise<Record<string, unknown> | undefined> {
    const now = [...this.world.renamed].find(([, to]) => to.toLowerCase() === login.toLowerCase());
    if (now === undefined && [...this.world.renamed.keys()].some((old) => old.toLowerCase() === login.toLowerCase()))
      return undefined;
    const data = await this.account(now?.[0] ?? this.world.spelling(login));
    if (data === undefined || this.world.gone.has(String(data['login']))) return undefined;
    return now === undefined ? data : { ...data, login: now[1] };
  }

  async byId(id: number): Promise<Record<string, unknown> | undefined> {
    for (const login of this.world.permissions.keys()) {
      const data = await this.account(login);
      if (data?.['id'] !== id) continue;
      return this.byLogin(this.world.renamed.get(login) ?? login);
    }
    return undefined;
  }

  private async account(login: string): Promise<Record<string, unknown> | undefined> {
    const [caller] = this.world.callers.values();
    const answer = await this.forward('GET', `/users/${login}`, caller?.token ?? '', '');
    return answer.status === 200 ? (JSON.parse(answer.body) as Record<string, unknown>) : undefined;
  }

  /**
   * emulate changes by writes alone, and all writes come through here: between two of them a question is asked once.
   * Else a gate that polls for hours would run into emulate's own limit, which knows no free 304.
   */
  private async forward(method: string, path: string, token: string, body: string): Promise<Reply> {
    if (method !== 'GET') this.known.clear();
    const key = `${token} ${path}`;
    const known = method === 'GET' ? this.known.get(key) : undefined;
    const answer = known ?? (await this.ask(method, path, token, body));
    if (method === 'GET') this.known.set(key, answer);
    else this.known.clear();
    return answer;
  }

  private async ask(method: string, path: string, token: string, body: string): Promise<Reply> {
    const carries = method !== 'GET' && method !== 'DELETE';
    const answer = await fetch(`${this.emulator.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        accept: 'application/vnd.github+json',
      },
      // emulate refuses a PUT or POST without a body, which octokit sends for some calls.
      ...(carries ? { body: body === '' ? '{}' : body } : {}),
    });
    const text = await answer.text();
    const headers: Record<string, string> = {};
    for (const kept of ['content-type', 'link']) {
      const value = answer.headers.get(kept);
      if (value !== null) headers[kept] = value.replaceAll(this.emulator.url, this.url);
    }
    const told = text.replaceAll(this.emulator.url, this.url).replace(/(T\d\d:\d\d:\d\d)\.\d{3}Z/g, '$1Z');
    return { status: answer.status, headers, body: told };
  }

  private send(
    response: ServerResponse,
    answer: Reply,
    spent: { readonly limit: number; readonly used: number; readonly reset: number } | undefined,
    theirNow: number,
  ): void {
    response.writeHead(answer.status, {
      ...(spent === undefined
        ? {}
        : {
            'x-ratelimit-limit': String(spent.limit),
            'x-ratelimit-used': String(spent.used),
            'x-ratelimit-remaining': String(Math.max(0, spent.limit - spent.used)),
            'x-ratelimit-reset': String(spent.reset),
          }),
      ...(theirNow > 0 ? { 'x-sluice-now': String(theirNow + LATENCY) } : {}),
      ...answer.headers,
      date: new Date(this.world.now()).toUTCString(),
      'x-github-request-id': randomUUID(),
    });
    response.end(answer.body);
  }
}

interface Asked {
  readonly call: string;
  readonly path: string;
  /** The token. */
  readonly shown: string;
  readonly body: string;
  readonly request: IncomingMessage;
}
