/**
 * Sends as `fetch` does, by the proxy that the runner hands to its steps (HTTPS_PROXY, HTTP_PROXY, NO_PROXY), which Node's
 * own `fetch` asks only if it was told so at its start. undici is loaded here and not at the top: few steps come here.
 */
export async function proxiedFetch(url: URL, init: ProxiedInit): Promise<ProxiedAnswer> {
  const { EnvHttpProxyAgent, fetch: send } = await import('undici');
  return send(url, { ...init, dispatcher: new EnvHttpProxyAgent() });
}

interface ProxiedInit {
  readonly method?: 'GET' | 'POST';
  readonly headers: Record<string, string>;
  readonly body?: string;
  readonly signal: AbortSignal;
}

export interface ProxiedAnswer {
  readonly ok: boolean;
  readonly status: number;
  json(): Promise<unknown>;
  text(): Promise<string>;
}
