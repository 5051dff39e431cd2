import type { CredentialsSource, RegistryCredentials } from '../../ports/image-registry.ts';
import { isLoopback } from '../http/loopback.ts';

/** What a registry wants, of its `WWW-Authenticate` header. */
type Challenge =
  | { readonly scheme: 'basic' }
  | { readonly scheme: 'bearer'; readonly realm: string; readonly parameters: Readonly<Record<string, string>> };

export interface Authorization {
  /** Header for a scope, as far as it is known without asking. */
  header(scope: string): string | undefined;
  /** The header was taken: when it is refused later, it has run out. */
  accepted(scope: string): void;
  /** As whom it was entered last; undefined: without a name. */
  who(): string | undefined;
  /** A 401 came: finds out what is wanted. `give-up`: there is nothing that could be tried. */
  answer(challenge: string | null, scope: string, signal: AbortSignal): Promise<'try-again' | 'give-up' | TokenRefusal>;
}

/** What a token server said in place of a token: an outage of it is no missing right. */
export interface TokenRefusal {
  /** Its host and port. */
  readonly server: string;
  readonly answer: TokenAnswer;
}

export interface TokenAnswer {
  readonly status: number;
  readonly body: string;
  /** Of its header `Retry-After`. */
  readonly retryAfter: string | null;
}

export interface TokenQuestion {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent by POST; undefined: a GET. */
  readonly form?: URLSearchParams;
}

/** Made with the requester of the client, so that proxies and timeouts hold for token servers as well. */
export type Ask = (question: TokenQuestion, signal: AbortSignal) => Promise<TokenAnswer>;

/** Basic, and the token dance of the distribution specification; tokens are kept by scope, and renewed when they are refused. */
export function registryAuthorization(
  host: string,
  source: CredentialsSource,
  tools: { readonly ask: Ask; mask(value: string): void },
): Authorization {
  const kept = new Map<string, string>();
  const refused = new Set<string>();
  let who: string | undefined;
  return {
    who: () => who,
    header: (scope) => kept.get(scope) ?? kept.get(EVERY),
    accepted: (scope) => void (refused.delete(scope), refused.delete(EVERY)),
    async answer(text, scope, signal) {
      const challenge = readChallenge(text);
      if (challenge === undefined) return 'give-up';
      const key = challenge.scheme === 'basic' ? EVERY : scope;
      const before = kept.get(key);
      // Once refused means: no longer good. What is refused again right away would be refused for ever.
      if (before !== undefined && refused.has(key)) return 'give-up';
      if (before !== undefined) refused.add(key);
      const credentials = await source(before === undefined ? 'kept' : 'renew', signal);
      who = credentials?.username;
      if (challenge.scheme === 'basic') {
        if (credentials === undefined || !('password' in credentials)) return 'give-up';
        kept.set(EVERY, basic(credentials));
        return 'try-again';
      }
      if (credentials !== undefined && 'identityToken' in credentials) tools.mask(credentials.identityToken);
      const token = await fetchToken(challenge, { host, scope, credentials, signal, ...tools });
      if (typeof token !== 'string') return token ?? 'give-up';
      tools.mask(token);
      kept.set(key, `Bearer ${token}`);
      return 'try-again';
    },
  };
}

const EVERY = '*';

type Password = Extract<RegistryCredentials, { readonly password: string }>;

const basic = ({ username, password }: Password): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;

function readChallenge(text: string | null): Challenge | undefined {
  const [, scheme = '', rest = ''] = /^\s*(\w+)\s*(.*)$/s.exec(text ?? '') ?? [];
  if (scheme.toLowerCase() === 'basic') return { scheme: 'basic' };
  if (scheme.toLowerCase() !== 'bearer') return undefined;
  const { realm, ...parameters } = Object.fromEntries(
    [...rest.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = '', value = '']) => [key, value]),
  ) as Record<string, string>;
  return realm === undefined ? undefined : { scheme: 'bearer', realm, parameters };
}

interface TokenRequest {
  readonly host: string;
  readonly scope: string;
  readonly credentials: RegistryCredentials | undefined;
  readonly signal: AbortSignal;
  readonly ask: Ask;
}

async function fetchToken(
  { realm, parameters }: Extract<Challenge, { scheme: 'bearer' }>,
  { host, scope, credentials, signal, ask }: TokenRequest,
): Promise<string | TokenRefusal | undefined> {
  const url = URL.parse(realm);
  // Credentials go in clear only to this machine.
  if (url === null || (url.protocol !== 'https:' && !isLoopback(url.hostname))) return undefined;
  const service = parameters['service'] ?? host;
  const answer = await ask(questionOf(url, { service, scope, credentials }), signal);
  return (answer.status === 200 ? tokenIn(answer.body) : undefined) ?? { server: url.host, answer };
}

function tokenIn(body: string): string | undefined {
  try {
    const { token, access_token: accessToken } = JSON.parse(body) as { token?: unknown; access_token?: unknown };
    const given = token ?? accessToken;
    return typeof given === 'string' && given !== '' ? given : undefined;
  } catch {
    return undefined;
  }
}

/** Two ways of the distribution specification: OAuth2 by POST for an identity token, and for the rest a GET. */
function questionOf(
  url: URL,
  { service, scope, credentials }: Pick<TokenRequest, 'scope' | 'credentials'> & { readonly service: string },
): TokenQuestion {
  if (credentials !== undefined && 'identityToken' in credentials) {
    const grant = { grant_type: 'refresh_token', client_id: 'sluice', refresh_token: credentials.identityToken };
    return { url: url.href, headers: {}, form: new URLSearchParams({ service, scope, ...grant }) };
  }
  url.searchParams.set('service', service);
  url.searchParams.delete('scope');
  // Of several, one a parameter: with blanks between them they are one name that many servers do not know.
  for (const each of scope.split(' ')) url.searchParams.append('scope', each);
  return { url: url.href, headers: credentials === undefined ? {} : { authorization: basic(credentials) } };
}
