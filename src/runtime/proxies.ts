const NAMES = ['https_proxy', 'http_proxy', 'HTTPS_PROXY', 'HTTP_PROXY'];

/**
 * `proxy.corp:3128` is what curl, kubectl and the runner itself take for `http://proxy.corp:3128`; libraries that are given it
 * as it stands throw, or go straight.
 */
export function completeProxies(environment: Record<string, string | undefined>): void {
  for (const name of NAMES) {
    const value = environment[name];
    if (value !== undefined && value !== '' && !value.includes('://')) environment[name] = `http://${value}`;
  }
}
