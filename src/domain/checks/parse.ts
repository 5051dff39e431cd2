import { readLoads } from '../load/parse-loads.ts';
import { type Base, type Fallbacks, FALLBACKS, readCheck, readDefaults } from './check.ts';
import type { Check, ChecksDocument, Flow, Matchers, Template } from './document.ts';
import { readFlows } from './flow.ts';
import {
  type DocumentProblem,
  type Place,
  complain,
  entriesOf,
  fieldsOf,
  isMapping,
  itemsOf,
  readText,
  rootOf,
} from './place.ts';
import { type Grammar, readTemplate } from './template.ts';

export { type Fallbacks, FALLBACKS } from './check.ts';

export type ParsedChecks =
  | { readonly ok: true; readonly value: ChecksDocument }
  /** `readable`: what can be read of it, which is never run. */
  | { readonly ok: false; readonly problems: readonly DocumentProblem[]; readonly readable: ChecksDocument };

export const DOCUMENT_KEYS = [
  'version',
  'target',
  'variables',
  'secrets',
  'defaults',
  'checks',
  'flows',
  'load',
] as const;
/** Reads a checks document (version 1) from the value of its YAML: the document, or every problem at once with its place. */
export function parseChecks(value: unknown, matchers: Matchers, fallbacks: Fallbacks = FALLBACKS): ParsedChecks {
  const root = rootOf(value);
  const { version, target, variables, secrets, defaults, ...parts } = fieldsOf(root, { known: DOCUMENT_KEYS });
  readFormat(root, version);
  const named = variables ? readVariables(variables, { matchers, variables: {} }) : {};
  const grammar: Grammar = { matchers, variables: named };
  const targetText = target && readText(target);
  const base = readDefaults(defaults, grammar, fallbacks);
  if (parts.checks === undefined && parts.flows === undefined && parts.load === undefined && isMapping(value))
    complain({ ...root, value: undefined }, 'has no `checks`', { accepted: 'checks, flows, load' });
  const checks = parts.checks ? readChecks(parts.checks, grammar, base) : [];
  const flows = parts.flows ? readFlows(parts.flows, grammar, base) : [];
  if (parts.flows) refuseSameNames(parts.flows, flows, checks);
  const document: ChecksDocument = {
    ...(target && targetText !== undefined ? { target: readTemplate(target, targetText, grammar) } : {}),
    variables: named,
    secrets: secrets ? readSecretNames(secrets) : [],
    checks,
    flows,
    loads: parts.load ? readLoads(parts.load, grammar, { base, checks, flows }) : [],
  };
  const { problems } = root;
  return problems.length === 0 ? { ok: true, value: document } : { ok: false, problems, readable: document };
}

function readFormat(root: Place, version: Place | undefined): void {
  if (version === undefined) {
    if (root.problems.length === 0)
      complain({ ...root, value: undefined }, 'does not say its `version`', { accepted: 'version: 1' });
  } else if (version.value !== 1) {
    complain(version, 'is not a version that can be read', { accepted: '1' });
  }
}

function readVariables(place: Place, grammar: Grammar): Readonly<Record<string, Template>> {
  return Object.fromEntries(
    entriesOf(place).flatMap(([name, value]) => {
      if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
        complain({ ...value, value: name }, 'is not a name', { accepted: 'letters, digits and _' });
      }
      const plain =
        typeof value.value === 'number' || typeof value.value === 'boolean' ? String(value.value) : value.value;
      const text = readText({ ...value, value: plain });
      return [[name, text === undefined ? ('' as Template) : readTemplate(value, text, grammar)]];
    }),
  );
}

const readSecretNames = (place: Place): readonly string[] =>
  itemsOf(place).flatMap((item) => {
    const name = readText(item);
    if (name !== undefined && /^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return [name];
    if (name !== undefined)
      complain({ ...item, value: undefined }, 'is not the name of an environment variable', { accepted: 'API_TOKEN' });
    return [];
  });

function readChecks(place: Place, grammar: Grammar, base: Base): readonly Check[] {
  const names = new Set<string>();
  return itemsOf(place).flatMap((item) => {
    const check = readCheck(item, grammar, base);
    if (check === undefined) return [];
    if (check.name !== '' && names.has(check.name))
      complain({ ...item, value: check.name }, 'is the name of an earlier check too', {
        accepted: 'a name of its own',
      });
    names.add(check.name);
    return [check];
  });
}

/** A load names its scenarios, so a flow cannot be called as a check is. */
function refuseSameNames(place: Place, flows: readonly Flow[], checks: readonly Check[]): void {
  for (const { name, at } of flows.filter((flow) => checks.some((check) => check.name === flow.name)))
    complain({ ...place, value: name, path: at }, 'is the name of a check too', { accepted: 'a name of its own' });
}
