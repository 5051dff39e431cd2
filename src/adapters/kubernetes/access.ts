/** How the API server is reached and who asks; made from a kubeconfig, an EKS cluster, a service account or single values. */
export interface Access {
  /** `https://10.0.0.1:6443`, without a path unless the server has one. */
  readonly server: string;
  /** PEM. Absent: the authorities of the system. */
  readonly certificateAuthority?: string;
  /** PEM, for authentication by certificate. */
  readonly clientCertificate?: { readonly certificate: string; readonly key: string };
  /** Name that the certificate is checked for, when it is not the host of `server`. */
  readonly serverName?: string;
  readonly verify: 'certificate' | 'nothing';
  /** `proxy-url` of a kubeconfig; `none` for what is beside the runner. Absent: as HTTPS_PROXY and NO_PROXY of the runner say. */
  readonly proxy?: string;
  /** Namespace of the context, when it names one. */
  readonly namespace?: string;
  /** Header of the next request; `fresh` when the last one was not accepted. */
  authorization(signal: AbortSignal, wish?: 'fresh'): Promise<string | undefined>;
}
