import type { ChecksDocument, ResolvedChecks } from './document.ts';
import { type Environment, fillIn, newFilling, noteSecret } from './fill-in.ts';
import type { DocumentProblem } from './place.ts';
import { resolveCheck } from './resolve-check.ts';
import { resolveFlow, resolveLoad } from './resolve-flow.ts';

export type ResolvedOrNot =
  | { readonly ok: true; readonly value: ResolvedChecks }
  | { readonly ok: false; readonly problems: readonly DocumentProblem[] };

interface Resolved {
  readonly value: ResolvedChecks;
  readonly problems: readonly DocumentProblem[];
}

/**
 * Fills in the references. `target: 'elsewhere'` leaves the document's own target alone, because another one is used:
 * its environment variable need not exist then.
 */
export function resolveChecks(
  document: ChecksDocument,
  environment: Environment,
  options: { readonly target: 'of-document' | 'elsewhere' } = { target: 'of-document' },
): ResolvedOrNot {
  const { value, problems } = resolveReadable(document, environment, options);
  return problems.length > 0 ? { ok: false, problems } : { ok: true, value };
}

/** What a document with problems comes to beside them: a reference that cannot be filled in is an empty text. */
export function resolveReadable(
  document: ChecksDocument,
  environment: Environment,
  options: { readonly target: 'of-document' | 'elsewhere' },
): Resolved {
  const filling = newFilling(environment, document.variables);
  const { problems } = filling;
  for (const name of document.secrets) noteSecret(filling, name);
  const { target } = document;
  const value: ResolvedChecks = {
    ...(target === undefined || options.target === 'elsewhere'
      ? {}
      : { target: fillIn(filling, target, { path: ['target'] }) }),
    checks: document.checks.flatMap((check) => resolveCheck(filling, check)),
    flows: document.flows.map((flow) => resolveFlow(filling, flow)),
    loads: [],
    secrets: [],
  };
  const loads = document.loads.map((load) => resolveLoad(filling, load, document.flows));
  return { value: { ...value, loads, secrets: [...filling.secrets] }, problems };
}
