import { type Checked, type InputProblem, bad, good, nearestOf } from '../inputs.ts';
import { type Flavor, PLAIN_FLAVOR, PRIORITIES, type RuleKind, type TagRule } from './rule.ts';

type Attributes = ReadonlyMap<string, string>;

const TYPES = Object.keys(PRIORITIES) as readonly RuleKind['type'][];
const COMMON = ['type', 'enable', 'priority', 'prefix', 'suffix'];
const KEYS: Readonly<Record<RuleKind['type'], readonly string[]>> = {
  schedule: ['pattern'],
  semver: ['pattern', 'value', 'match'],
  pep440: ['pattern', 'value', 'match'],
  match: ['pattern', 'group', 'value'],
  edge: ['branch'],
  ref: ['event'],
  raw: ['value'],
  sha: ['format'],
};

/** What stands for an empty `tags`. */
export const DEFAULT_TAGS = 'type=schedule\ntype=ref,event=branch\ntype=ref,event=tag\ntype=ref,event=pr';

/** Reads `tags`: one rule a line, its attributes between commas. Rules come back in the order in which they are made. */
export function parseTagRules(text: string, input = 'tags'): Checked<readonly TagRule[]> {
  const problems: InputProblem[] = [];
  const rules: TagRule[] = [];
  for (const line of linesOf(text)) {
    const read = readRule(line, input);
    if (read.ok) rules.push(read.value);
    else problems.push(...read.problems);
  }
  if (problems.length > 0) return bad(...problems);
  // Stable: rules of one priority stay in the order of the lines.
  return good(rules.sort((a, b) => b.priority - a.priority));
}

/** Lines with something in them; `#` starts a comment. */
export const linesOf = (text: string): readonly string[] =>
  text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));

/** The fields of one line; one in double quotes may have commas in it, `""` is a quote. undefined: a quote is not closed. */
export function fieldsOf(line: string): readonly string[] | undefined {
  const fields: string[] = [];
  const field = /\s*(?:"((?:[^"]|"")*)"\s*|([^",][^,]*|))(,|$)/y;
  for (;;) {
    const match = field.exec(line);
    if (match === null) return undefined;
    fields.push((match[1]?.replaceAll('""', '"') ?? match[2] ?? '').trim());
    if (match[3] === '') return fields;
  }
}

function readRule(line: string, input: string): Checked<TagRule> {
  const problem = (what: string, accepted?: string, nearest?: string): Checked<never> =>
    bad({
      input,
      given: line,
      problem: what,
      ...(accepted === undefined ? {} : { accepted }),
      ...(nearest === undefined ? {} : { nearest }),
    });
  const fields = fieldsOf(line);
  if (fields === undefined) return problem('has a quote that is not closed', 'type=raw,"value=a,b"');
  const attributes = new Map<string, string>();
  for (const field of fields.filter((each) => each !== '')) {
    const [, key, value] = /^([^=]+?)\s*=\s*(.*)$/s.exec(field) ?? [undefined, 'value', field];
    const name = (key ?? '').toLowerCase();
    if (attributes.has(name)) return problem(`says ${name} twice`);
    attributes.set(name, value ?? '');
  }
  const type = attributes.get('type') ?? 'raw';
  if (!isType(type)) return problem(`has the type ${type}, which is none`, TYPES.join(', '), nearestOf(type, TYPES));
  const known = [...COMMON, ...KEYS[type]];
  const unknown = [...attributes.keys()].find((key) => !known.includes(key));
  if (unknown !== undefined)
    return problem(`has ${unknown}, which type=${type} does not take`, known.join(', '), nearestOf(unknown, known));
  const kind = kindOf(type, attributes);
  if (typeof kind === 'string') return problem(kind);
  const priority = attributes.get('priority') ?? String(PRIORITIES[type]);
  if (!/^\d{1,9}$/.test(priority)) return problem('has a priority that is not a whole number');
  const prefix = attributes.get('prefix') ?? defaultPrefix(kind);
  const suffix = attributes.get('suffix');
  return good({
    line,
    enable: attributes.get('enable') ?? 'true',
    priority: Number(priority),
    ...(prefix === undefined ? {} : { prefix }),
    ...(suffix === undefined ? {} : { suffix }),
    ...kind,
  });
}

const isType = (text: string): text is RuleKind['type'] => TYPES.some((type) => type === text);

const defaultPrefix = (kind: RuleKind): string | undefined =>
  kind.type === 'sha' ? 'sha-' : kind.type === 'ref' && kind.event === 'pr' ? 'pr-' : undefined;

/** The part that only this type has, or what is wrong with it. */
function kindOf(type: RuleKind['type'], attributes: Attributes): RuleKind | string {
  const pattern = attributes.get('pattern');
  const value = attributes.get('value') ?? '';
  switch (type) {
    case 'schedule':
      return { type, pattern: pattern ?? 'nightly' };
    case 'semver':
    case 'pep440':
      if (pattern === undefined || pattern === '') return 'has no pattern, for example {{version}}';
      return { type, pattern, value, match: attributes.get('match') ?? '' };
    case 'match': {
      const group = attributes.get('group') ?? '0';
      if (pattern === undefined || pattern === '') return 'has no pattern, for example v(.*)';
      if (readPattern(pattern) === undefined) return 'has a pattern that is not a regular expression';
      if (!/^\d{1,2}$/.test(group)) return 'has a group that is not a number';
      return { type, pattern, group: Number(group), value };
    }
    case 'edge':
      return { type, branch: attributes.get('branch') ?? '' };
    case 'ref': {
      const event = attributes.get('event');
      if (event !== 'branch' && event !== 'tag' && event !== 'pr') return 'has no event of branch, tag and pr';
      return { type, event };
    }
    case 'raw':
      return attributes.has('value') ? { type, value } : 'has no value';
    case 'sha': {
      const format = attributes.get('format') ?? 'short';
      if (format !== 'short' && format !== 'long') return 'has a format that is neither short nor long';
      return { type, format };
    }
  }
}

/** `v(.*)`, or `/v(.*)/i` with flags. undefined: not a regular expression. */
export function readPattern(text: string): RegExp | undefined {
  const [, body, flags] = /^\/(.+)\/([dimsuvy]*)$/s.exec(text) ?? [];
  try {
    return new RegExp(body ?? text, flags ?? '');
  } catch {
    return undefined;
  }
}

const FLAVOR = 'latest=auto|true|false, prefix=TEXT[,onlatest=true], suffix=TEXT[,onlatest=true], changed=hash|keep';

/** Reads `flavor`: what holds for all tags. */
export function parseFlavor(text: string, input = 'flavor'): Checked<Flavor> {
  const problems: InputProblem[] = [];
  let flavor = PLAIN_FLAVOR;
  for (const line of linesOf(text)) {
    const next = withLine(flavor, line);
    if (next === undefined) problems.push({ input, given: line, problem: 'is not understood', accepted: FLAVOR });
    else flavor = next;
  }
  return problems.length > 0 ? bad(...problems) : good(flavor);
}

function withLine(flavor: Flavor, line: string): Flavor | undefined {
  const pairs = (fieldsOf(line) ?? ['?']).map((field) => /^(\w+)\s*=\s*(.*)$/s.exec(field));
  const [first, second, ...more] = pairs;
  const [, key, value = ''] = first ?? [];
  if (more.length > 0 || (second !== undefined && (second?.[1] !== 'onlatest' || !isFlag(second[2])))) return undefined;
  const onLatest = second?.[2] === 'true' ? 'yes' : 'no';
  if (key === 'prefix') return { ...flavor, prefix: value, prefixLatest: onLatest };
  if (key === 'suffix') return { ...flavor, suffix: value, suffixLatest: onLatest };
  if (second !== undefined) return undefined;
  if (key === 'latest' && (value === 'auto' || isFlag(value))) return { ...flavor, latest: value };
  if (key === 'changed' && (value === 'hash' || value === 'keep')) return { ...flavor, changed: value };
  return undefined;
}

const isFlag = (text: string | undefined): text is 'true' | 'false' => text === 'true' || text === 'false';
