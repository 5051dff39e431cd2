/** Which login a registry wants. */
export type RegistryKind =
  | { readonly kind: 'ecr'; readonly account: string; readonly region: string }
  | { readonly kind: 'ghcr' }
  | { readonly kind: 'other' };

const ECR =
  /^(\d{12})\.dkr[.-]ecr(?:-fips)?\.([a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|on\.(?:aws|amazonwebservices\.com\.cn))$/;

export function registryKind(host: string): RegistryKind {
  const [, account, region] = ECR.exec(host) ?? [];
  if (account !== undefined && region !== undefined) return { kind: 'ecr', account, region };
  return host === 'ghcr.io' ? { kind: 'ghcr' } : { kind: 'other' };
}

/** An image name without tag: where it is pushed to. */
export interface Repository {
  /** `ghcr.io`, `docker.io`, `127.0.0.1:5000`. */
  readonly host: string;
  /** `acme/shop` */
  readonly path: string;
}

export const nameOf = ({ host, path }: Repository): string => `${host}/${path}`;

/** Docker Hub's API is at another name than its images. */
export const apiHost = (host: string): string => (host === 'docker.io' ? 'registry-1.docker.io' : host);
