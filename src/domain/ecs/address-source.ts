/** `https://{load-balancer}:8443/app`: where the host of an address comes from; scheme, port and path are the user's. */
export interface AddressSource {
  readonly host:
    | { readonly kind: 'load-balancer' }
    | { readonly kind: 'stack-output'; readonly stack: string; readonly output: string };
  readonly before: string;
  readonly after: string;
}

export const ADDRESS_SHAPE =
  /https?:\/\/\{(?:load-balancer|stack-output:(?:[A-Za-z0-9-]|\{stage\}){1,128}\/[A-Za-z0-9]{1,255})\}(?::\d{1,5})?(?:\/[^\s{}]*)?/;

/** PURE. The parts of a text of that shape; undefined: it is none. */
export function readAddressSource(text: string): AddressSource | undefined {
  const [, before = '', named = '', after = ''] = /^(https?:\/\/)\{([^}]+)\}(.*)$/.exec(text) ?? [];
  if (named === 'load-balancer') return { host: { kind: 'load-balancer' }, before, after };
  const [, stack, output] = /^stack-output:([^/]+)\/(\w+)$/.exec(named) ?? [];
  if (stack === undefined || output === undefined) return undefined;
  return { host: { kind: 'stack-output', stack, output }, before, after: after.replace(/\/+$/, '') };
}

/** PURE. The base URL; an output that is a whole URL gives its host alone. */
export const addressFrom = ({ before, after }: AddressSource, found: string): string =>
  `${before}${found.replace(/^https?:\/\//, '').replace(/\/.*$/, '')}${after}`;
