import type { Scope } from '../../ports/kubernetes.ts';

/** Query parameters of a scope, for LIST and WATCH alike. */
export const selectors = ({ labels, fields }: Scope): Readonly<Record<string, string>> => ({
  ...(labels === undefined ? {} : { labelSelector: labels }),
  ...(fields === undefined ? {} : { fieldSelector: fields }),
});
