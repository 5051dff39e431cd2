import { getOctokit } from '@actions/github';
import { type Instant, after, instant, minutes, seconds } from '../../domain/duration.ts';
import { Failure } from '../../domain/failure.ts';
import type { Clock } from '../../ports/clock.ts';
import { type AppKey, appJwt } from './app-token.ts';
import { faultOf, failureOf } from './faults.ts';

export type Credentials = { readonly kind: 'token'; readonly token: string } | ({ readonly kind: 'app' } & AppKey);

export interface Target {
  readonly auth: Credentials;
  /** `https://api.github.com`, or the API of a GitHub Enterprise Server. */
  readonly apiUrl: string;
  /** `owner/name`. */
  readonly repository: string;
  readonly clock: Clock;
  /** Told of every token that is minted, before it is used. */
  readonly mask?: (token: string) => void;
}

export interface Answer {
  readonly data: unknown;
  readonly headers: { readonly etag?: string | undefined; readonly link?: string | undefined };
}

export interface Client {
  readonly repository: string;
  readonly host: string;
  serverTime(): Instant | undefined;
  send(route: string, parameters: Parameters, what: string, signal: AbortSignal): Promise<Answer>;
  /** As `send`, and free of charge when nothing changed since the same call was made before. */
  look(route: string, parameters: Parameters, what: string, signal: AbortSignal): Promise<Answer>;
  /** Every page of a list; `pick` takes the entries out of a page. */
  all(
    route: string,
    parameters: Parameters,
    asked: { readonly what: string; readonly signal: AbortSignal },
    pick?: (data: unknown) => unknown,
  ): Promise<readonly unknown[]>;
  graphql(query: string, variables: Record<string, unknown>, what: string, signal: AbortSignal): Promise<unknown>;
}

type Parameters = Readonly<Record<string, unknown>>;
type Octokit = ReturnType<typeof getOctokit>;

/** Milliseconds. A difference that changes by more is another clock, not the same one read less exactly. */
const CLOCK_STEP = 5_000;
const REQUEST_TIMEOUT = seconds(10);
export const PAGE = 100;
/** GitHub's tokens of an installation live for an hour (docs, "Generating an installation access token"). */
const RENEW_AFTER = minutes(50);
/** More pages than any list of a gate has; a Link header that leads in a circle ends here. */
const MOST_PAGES = 100;

/** GitHub's REST API for one repository: one token that is renewed where it can be, one way to say what went wrong. */
export function githubClient(target: Target): Client {
  const [owner = '', repo = ''] = target.repository.split('/');
  const place = { owner, repo };
  const session = sessionOf(target, place);
  const etags = new Map<string, { readonly etag: string; readonly answer: Answer }>();
  let offset: number | undefined;

  // The header has whole seconds and takes its way: the largest difference that was seen is the nearest to the truth.
  const noteTime = (date: unknown): void => {
    const seen = Date.parse(String(date)) - target.clock.now();
    if (!Number.isFinite(seen)) return;
    const stepped = offset === undefined || Math.abs(seen - offset) > CLOCK_STEP;
    offset = stepped || seen > (offset ?? seen) ? seen : offset;
  };

  async function once(route: string, parameters: Parameters, signal: AbortSignal): Promise<Answer | 'unchanged'> {
    const octokit = await session.octokit(signal);
    const limit = AbortSignal.any([signal, AbortSignal.timeout(REQUEST_TIMEOUT)]);
    try {
      const { data, headers, status } = await octokit.request(route, {
        ...place,
        ...parameters,
        // A redirect leads to another repository, where other people may write: it is never followed.
        request: { signal: limit, redirect: 'manual' },
      });
      noteTime(headers.date);
      if (Number(status) >= 300) throw new Redirected(Number(status), headers);
      if (status !== 204 && !isJson(data)) throw new NotGitHub();
      return { data: data as unknown, headers };
    } catch (cause) {
      noteTime((cause as { response?: { headers?: { date?: string } } }).response?.headers?.date);
      if (faultOf(cause).status === 304) return 'unchanged';
      throw cause;
    }
  }

  async function request(route: string, parameters: Parameters, what: string, signal: AbortSignal) {
    try {
      try {
        return await once(route, parameters, signal);
      } catch (cause) {
        if (faultOf(cause).status !== 401 || !session.renew()) throw cause;
        return await once(route, parameters, signal);
      }
    } catch (cause) {
      signal.throwIfAborted();
      if (cause instanceof Failure) throw cause;
      throw failureOf(faultOf(cause), { what, repository: target.repository });
    }
  }

  const client: Client = {
    repository: target.repository,
    host: new URL(target.apiUrl).host,
    serverTime: () => (offset === undefined ? undefined : instant(target.clock.now() + offset)),
    async send(route, parameters, what, signal) {
      const answer = await request(route, parameters, what, signal);
      if (answer === 'unchanged') throw unasked304(what, target.repository);
      return answer;
    },
    async look(route, parameters, what, signal) {
      const key = `${route} ${JSON.stringify(parameters)}`;
      const known = etags.get(key);
      const headers = known === undefined ? {} : { headers: { 'if-none-match': known.etag } };
      const answer = await request(route, { ...parameters, ...headers }, what, signal);
      if (answer === 'unchanged') {
        if (known === undefined) throw unasked304(what, target.repository);
        return known.answer;
      }
      if (answer.headers.etag) etags.set(key, { etag: answer.headers.etag, answer });
      return answer;
    },
    async all(route, parameters, { what, signal }, pick = (data) => data) {
      const entries: unknown[] = [];
      for (let page = 1; page <= MOST_PAGES; page++) {
        const { data, headers } = await client.look(route, { ...parameters, per_page: PAGE, page }, what, signal);
        const found = asList(pick(data), what, target.repository);
        entries.push(...found);
        // A full page always asks for the next one: page 1 stays unchanged for ever once entry 101 lands on page 2.
        if (found.length < PAGE && !/rel="next"/.test(headers.link ?? '')) return entries;
      }
      throw new Failure({
        what: `Could not ${what} in ${target.repository}`,
        why: `there are more than ${MOST_PAGES} pages`,
      });
    },
    async graphql(query, variables, what, signal) {
      // https://HOST/api/v3 of a server has its GraphQL at https://HOST/api/graphql.
      const url = `${target.apiUrl.replace(/\/v3$/, '')}/graphql`;
      const { data } = await client.send(`POST ${url}`, { query, variables }, what, signal);
      return data;
    },
  };
  return client;
}

/** GitHub's own answers have the shape of its documentation; what a proxy puts in between has not. */
export function asList(data: unknown, what: string, repository: string): readonly unknown[] {
  if (Array.isArray(data)) return data;
  throw garbled(what, repository);
}

export const garbled = (what: string, repository: string): Failure =>
  failureOf({ status: 0, message: 'the answer is not what GitHub sends', headers: {} }, { what, repository });

const unasked304 = (what: string, repository: string): Failure =>
  failureOf({ status: 0, message: '304 to a request without an ETag', headers: {} }, { what, repository });

/** octokit hands over as text or bytes whatever is not JSON, with the status of success. */
const isJson = (data: unknown): boolean => typeof data === 'object' && data !== null && !(data instanceof ArrayBuffer);

/** Has no status, as a connection that broke: it may pass. */
class NotGitHub extends Error {
  override readonly name = 'NotGitHub';
  constructor() {
    super('the answer is not what GitHub sends: a proxy may have answered');
  }
}

class Redirected extends Error {
  override readonly name = 'Redirected';
  readonly status: number;
  readonly response: { readonly headers: unknown };
  constructor(status: number, headers: unknown) {
    super('moved to another place');
    this.status = status;
    this.response = { headers };
  }
}

interface Session {
  octokit(signal: AbortSignal): Promise<Octokit>;
  /** After a 401: whether another token can be had. */
  renew(): boolean;
}

function sessionOf(target: Target, place: { readonly owner: string; readonly repo: string }): Session {
  const { auth, apiUrl, clock } = target;
  if (auth.kind === 'token') {
    const fixed = getOctokit(auth.token, { baseUrl: apiUrl });
    return { octokit: async () => fixed, renew: () => false };
  }
  let minted: { readonly octokit: Promise<Octokit>; readonly renewAt: Instant } | undefined;
  return {
    octokit(signal) {
      // The promise is kept, not its result: calls side by side share one token.
      if (minted === undefined || clock.now() >= minted.renewAt) {
        const made = mint(target, auth, place, signal).then((token) => {
          target.mask?.(token);
          return getOctokit(token, { baseUrl: apiUrl });
        });
        minted = { octokit: made, renewAt: after(clock.now(), RENEW_AFTER) };
        made.catch(() => (minted = undefined));
      }
      return minted.octokit;
    },
    renew() {
      minted = undefined;
      return true;
    },
  };
}

async function mint(
  { apiUrl, repository, clock }: Target,
  key: AppKey,
  place: { readonly owner: string; readonly repo: string },
  signal: AbortSignal,
): Promise<string> {
  const octokit = getOctokit('unused', {
    baseUrl: apiUrl,
    authStrategy: () => ({ hook: (request: (options: unknown) => unknown, options: unknown) => request(options) }),
  });
  const headers = { authorization: `Bearer ${appJwt(key, clock.now())}` };
  const request = { signal: AbortSignal.any([signal, AbortSignal.timeout(REQUEST_TIMEOUT)]) };
  try {
    const found = await octokit.request('GET /repos/{owner}/{repo}/installation', { ...place, headers, request });
    const made = await octokit.request('POST /app/installations/{installation_id}/access_tokens', {
      installation_id: found.data.id,
      repositories: [place.repo],
      headers,
      request,
    });
    return made.data.token;
  } catch (cause) {
    signal.throwIfAborted();
    throw failureOf(faultOf(cause), { what: `mint a token for the App ${key.appId}`, repository });
  }
}
