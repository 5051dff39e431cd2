import { createHash, randomUUID } from 'node:crypto';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import { type Emulator, createEmulator } from 'emulate';
import { installationToken } from './app-token.ts';

/**
 * GitHub for the sandbox: npm `emulate` keeps issues, comments and people; this front adds what it lacks or does too
 * kindly: 401 for unknown tokens, permissions of each person, workflow runs, times to the second, ETags, limits on the
 * length of a comment, faults by call. What neither knows answers 404, as emulate does.
 */
export interface GitHubSeed {
  /** `owner/name`. */
  readonly repository: string;
  /** By login. `read` may comment in a public repository, `write` may edit everything. */
  readonly people: Readonly<Record<string, 'read' | 'write'>>;
}

export interface WorkflowRun {
  readonly id: string;
  readonly actor: string;
  readonly triggeringActor: string;
  readonly attempt: number;
  readonly commit: string;
}

export interface GitHubFaultRule {
  /** `GET /repos/acme/shop/issues/1/comments`; a `*` stands for one path segment. */
  readonly call: string;
  readonly kind: 'status' | 'reset' | 'hang';
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly message?: string;
  /** How many of the next matching calls; Infinity for all. */
  readonly times: number;
}

export interface GitHubCall {
  readonly call: string;
  readonly status: number;
  readonly who: string;
}

export interface SandboxGitHub {
  readonly url: string;
  /** Personal tokens by login, and `github-actions` for the job's own (issues: write). */
  readonly tokens: Readonly<Record<string, string>>;
  setRun(run: WorkflowRun): void;
  addFault(fault: GitHubFaultRule): void;
  /** Runs once, after the next matching call succeeded and before its answer is sent: what people do at that very moment. */
  afterNext(call: string, act: (data: unknown) => Promise<void>): void;
  calls(): readonly GitHubCall[];
  /** One request as a person, over the wire like any other. */
  as(login: string, call: string, body?: unknown): Promise<{ readonly status: number; readonly data: unknown }>;
  close(): Promise<void>;
}

interface Caller {
  readonly login: string;
  /** What emulate is shown: personal tokens are its own, the job's is an installation token of its app. */
  readonly token: string;
  readonly permission: 'read' | 'write';
}

const LONGEST_BODY = 65_536;

export async function startGitHub(seed: GitHubSeed): Promise<SandboxGitHub> {
  const [owner = '', name = ''] = seed.repository.split('/');
  const logins = Object.keys(seed.people);
  const personal = Object.fromEntries(logins.map((login) => [login, `ghp_${randomUUID().replaceAll('-', '')}`]));
  const emulator = await createEmulator({ service: 'github', port: 0, seed: emulatorSeed(owner, name, personal) });
  const job = { shown: `ghs_${randomUUID().replaceAll('-', '')}`, real: await installationToken(emulator) };
  const callers = new Map<string, Caller>(
    logins.map((login) => [
      personal[login] ?? '',
      { login, token: personal[login] ?? '', permission: seed.people[login] ?? 'read' },
    ]),
  );
  callers.set(job.shown, { login: 'github-actions[bot]', token: job.real, permission: 'write' });
  const front = new Front(emulator, callers);
  const server = createServer((request, response) => void front.answer(request, response));
  const url = await listen(server);
  front.url = url;
  return {
    url,
    tokens: { ...personal, 'github-actions': job.shown },
    setRun: (run) => front.runs.set(run.id, run),
    addFault: (fault) => front.faults.push({ ...fault, left: fault.times }),
    afterNext: (call, act) => void front.hooks.push({ call, act }),
    calls: () => [...front.log],
    as: (login, call, body) => requestAs(url, personal[login] ?? '', call, body),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await emulator.close();
    },
  };
}

function emulatorSeed(owner: string, name: string, personal: Readonly<Record<string, string>>) {
  const logins = Object.keys(personal);
  const permissions = { issues: 'write', actions: 'read', metadata: 'read' };
  return {
    tokens: Object.fromEntries(logins.map((login) => [personal[login], { login, scopes: ['repo'] }])),
    github: {
      users: logins.map((login) => ({ login })),
      orgs: [{ login: owner, members: logins.map((login) => ({ login })) }],
      repos: [{ owner, name, auto_init: true }],
      apps: [
        {
          app_id: 15_368,
          slug: 'github-actions',
          name: 'GitHub Actions',
          permissions,
          events: [],
          installations: [{ installation_id: 1, account: owner, permissions }],
        },
      ],
    },
  };
}

class Front {
  url = '';
  readonly runs = new Map<string, WorkflowRun>();
  readonly faults: (GitHubFaultRule & { left: number })[] = [];
  readonly log: GitHubCall[] = [];
  readonly hooks: { readonly call: string; readonly act: (data: unknown) => Promise<void> }[] = [];
  private readonly emulator: Emulator;
  private readonly callers: ReadonlyMap<string, Caller>;

  constructor(emulator: Emulator, callers: ReadonlyMap<string, Caller>) {
    this.emulator = emulator;
    this.callers = callers;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '/';
    const call = `${request.method} ${path.split('?')[0]}`;
    const caller = this.callers.get(/^(?:bearer|token) (.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '');
    const body = await bodyOf(request);
    const fault = this.faults.find((each) => each.left > 0 && matches(each.call, call));
    if (fault !== undefined) fault.left -= 1;
    const answer = fault === undefined ? await this.decide(call, path, caller, body, request) : faulty(fault);
    this.log.push({ call, status: typeof answer === 'string' ? 0 : answer.status, who: caller?.login ?? 'nobody' });
    await this.runHook(call, answer);
    if (answer === 'reset') request.socket.destroy();
    else if (answer !== 'hang') send(response, answer);
  }

  private async runHook(call: string, answer: Answer): Promise<void> {
    const index = this.hooks.findIndex((hook) => matches(hook.call, call));
    if (index < 0 || typeof answer === 'string' || answer.status >= 300) return;
    const [hook] = this.hooks.splice(index, 1);
    await hook?.act(JSON.parse(answer.body || 'null'));
  }

  private async decide(
    call: string,
    path: string,
    caller: Caller | undefined,
    body: string,
    request: IncomingMessage,
  ): Promise<Answer> {
    if (caller === undefined) return problem(401, 'Bad credentials');
    const run = /^GET \/repos\/[^/]+\/[^/]+\/actions\/runs\/([^/]+)$/.exec(call)?.[1];
    if (run !== undefined) return this.runAnswer(run);
    const refused = await this.refusal(call, caller, body);
    if (refused !== undefined) return refused;
    const answer = await this.forward(request.method ?? 'GET', path, caller.token, body);
    if (request.method !== 'GET' || answer.status !== 200) return answer;
    const etag = `W/"${createHash('sha256').update(`${caller.token}\n${answer.body}`).digest('hex')}"`;
    if (request.headers['if-none-match'] === etag) return { status: 304, headers: { etag }, body: '' };
    return { ...answer, headers: { ...answer.headers, etag } };
  }

  /** Editing, closing, reopening, deleting: only the author or whoever has write access. emulate lets everybody. */
  private async refusal(call: string, caller: Caller, body: string): Promise<Answer | undefined> {
    if (bodyTextOf(body).length > LONGEST_BODY)
      return problem(422, 'Validation Failed: body is too long (maximum is 65536 characters)');
    if (!/^(?:PATCH|DELETE|PUT) /.test(call) || caller.permission === 'write') return undefined;
    const own = await this.forward('GET', call.replace(/^\w+ /, ''), caller.token, '');
    const author = (JSON.parse(own.body || '{}') as { user?: { login?: string } }).user?.login;
    return author === caller.login ? undefined : problem(403, 'Must have admin rights to Repository.');
  }

  private async runAnswer(id: string): Promise<Answer> {
    const run = this.runs.get(id);
    if (run === undefined) return problem(404, 'Not Found');
    const data = {
      id: Number(id),
      run_attempt: run.attempt,
      head_sha: run.commit,
      actor: await this.userData(run.actor),
      triggering_actor: await this.userData(run.triggeringActor),
    };
    return { status: 200, headers: { 'content-type': 'application/json; charset=utf-8' }, body: JSON.stringify(data) };
  }

  private async userData(login: string): Promise<unknown> {
    const [caller] = this.callers.values();
    return JSON.parse((await this.forward('GET', `/users/${login}`, caller?.token ?? '', '')).body) as unknown;
  }

  private async forward(method: string, path: string, token: string, body: string): Promise<Reply> {
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
    for (const kept of ['content-type', 'link', 'x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset']) {
      const value = answer.headers.get(kept);
      if (value !== null) headers[kept] = value.replaceAll(this.emulator.url, this.url);
    }
    // GitHub's times have seconds only: two edits within one second look alike, and nobody may rely on more.
    return {
      status: answer.status,
      headers,
      body: text.replaceAll(this.emulator.url, this.url).replace(/(T\d\d:\d\d:\d\d)\.\d{3}Z/g, '$1Z'),
    };
  }
}

interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}
type Answer = Reply | 'reset' | 'hang';

function faulty(fault: GitHubFaultRule): Answer {
  if (fault.kind !== 'status') return fault.kind;
  const answer = problem(fault.status ?? 502, fault.message ?? 'Server Error');
  return { ...answer, headers: { ...answer.headers, ...fault.headers } };
}

const problem = (status: number, message: string): Reply => ({
  status,
  headers: { 'content-type': 'application/json; charset=utf-8' },
  body: JSON.stringify({ message, documentation_url: 'https://docs.github.com/rest' }),
});

function send(response: ServerResponse, answer: Reply): void {
  response.writeHead(answer.status, {
    ...answer.headers,
    date: new Date().toUTCString(),
    'x-github-request-id': randomUUID(),
  });
  response.end(answer.body);
}

function matches(pattern: string, call: string): boolean {
  const wanted = pattern.split('/');
  const given = call.split('/');
  return wanted.length === given.length && wanted.every((part, index) => part === '*' || part === given[index]);
}

function bodyTextOf(body: string): string {
  try {
    const { body: text } = JSON.parse(body) as { body?: unknown };
    return typeof text === 'string' ? text : '';
  } catch {
    return '';
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}

async function requestAs(
  url: string,
  token: string,
  call: string,
  body: unknown,
): Promise<{ status: number; data: unknown }> {
  const [method = 'GET', path = '/'] = call.split(' ');
  const answer = await fetch(`${url}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, data: text === '' ? undefined : (JSON.parse(text) as unknown) };
}

function listen(server: Server): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? `http://127.0.0.1:${address.port}` : '');
    });
  });
}
