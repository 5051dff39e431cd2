/** Host of a URL that is this machine itself: reached without a proxy, and without TLS where a registry listens. */
export const isLoopback = (hostname: string): boolean =>
  hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
