import { type Alias, type Document, LineCounter, isAlias, isMap, isNode, isScalar, isSeq, parseDocument } from 'yaml';
import { Failure, messageOf } from '../domain/failure.ts';
import { type Checked, type InputProblem, bad, good, printable } from '../domain/inputs.ts';

export type YamlPath = readonly (string | number)[];

export interface Position {
  /** From 1. */
  readonly line: number;
  readonly column: number;
}

export interface YamlFile {
  readonly value: unknown;
  /** Where the key (or the list entry) at `path` is written; the place of its nearest parent when there is none. */
  at(path: YamlPath): Position;
  /** `policy.yml:7:3`, the start of InputProblem.input. */
  where(path: YamlPath): string;
  /** A scalar as it is written, without its quotes: `012345678901` and `1e3` may be names, not numbers. */
  textAt(path: YamlPath): string | undefined;
}

/** Larger than any configuration, small enough to parse in a moment. */
const LARGEST_TEXT = 1024 * 1024;
/** Collections inside collections: whatever walks the value later may recurse. */
const DEEPEST = 60;
/** Characters and nodes of the value with every alias written out; an alias bomb ("billion laughs") has many more. */
const LARGEST_VALUE = 4 * 1024 * 1024;
/** Following an alias costs the parser a walk over the whole document. */
const MOST_ALIASES = 100;

const CORE_TAGS = new Set(
  ['str', 'int', 'float', 'bool', 'null', 'map', 'seq'].map((name) => `tag:yaml.org,2002:${name}`),
);

/**
 * Reads one YAML 1.2 document (JSON is YAML). Duplicate keys, tags beyond the core schema, keys that are no scalars,
 * several documents and alias bombs are problems, each with line and column, and all of them are given back at once.
 */
export function readYaml(text: string, path: string): Checked<YamlFile> {
  if (text.length > LARGEST_TEXT) return bad({ input: path, problem: `is longer than ${LARGEST_TEXT} characters` });
  const lines = new LineCounter();
  const problem = (offset: number, words: string): InputProblem => ({
    input: placeOf(path, lines, offset),
    problem: words,
  });
  try {
    const document = parseDocument(text, { version: '1.2', lineCounter: lines, prettyErrors: false });
    const found = [...document.errors, ...document.warnings].map((each) =>
      problem(each.pos[0], notUsable(each.message)),
    );
    const refused = found.length > 0 ? [] : refusals(document).map(([offset, words]) => problem(offset, words));
    if (found.length + refused.length > 0) return bad(...found, ...refused);
    // Our own bound on aliases is exact, and it names the place.
    const value: unknown = document.toJS({ maxAliasCount: -1 });
    return good(view(document, (offset) => lines.linePos(offset), path, value));
  } catch (thrown) {
    // The parser recurses: thousands of open brackets end in a RangeError before the walk sees them.
    return bad({
      input: path,
      problem: notUsable(thrown instanceof RangeError ? 'nested too deep' : messageOf(thrown)),
    });
  }
}

const notUsable = (why: string): string => `is not YAML that can be used: ${printable(why)}`;

function placeOf(path: string, lines: LineCounter, offset: number): string {
  const { line, col } = lines.linePos(offset);
  return `${path}:${line}:${col}`;
}

type Refusal = readonly [offset: number, words: string];

/** What the parser takes and a configuration must not have. */
function refusals(document: Document): readonly Refusal[] {
  const found: Refusal[] = [];
  const sizes = new Map<unknown, number>();
  const open = new Set<unknown>();
  if (document.directives?.yaml.explicit === true && document.directives.yaml.version !== '1.2') {
    found.push([0, `is YAML ${document.directives.yaml.version}; only 1.2 is read`]);
  }
  const sizeOf = (node: unknown, depth: number): number => {
    if (!isNode(node)) return 1;
    const offset = node.range?.[0] ?? 0;
    if (isAlias(node)) return sizeOfAlias(node, offset);
    if (node.tag !== undefined && !CORE_TAGS.has(node.tag))
      found.push([offset, `has the tag ${node.tag}, which is not accepted`]);
    if (isScalar(node)) {
      const length = 1 + (node.source?.length ?? 0);
      sizes.set(node, length);
      return length;
    }
    if (depth > DEEPEST) {
      found.push([offset, `is nested deeper than ${DEEPEST} levels`]);
      return 1;
    }
    open.add(node);
    let size = 1;
    if (isSeq(node)) for (const item of node.items) size += sizeOf(item, depth + 1);
    if (isMap(node)) {
      for (const { key, value } of node.items) {
        if (!isScalar(key))
          found.push([isNode(key) ? (key.range?.[0] ?? offset) : offset, 'has a key that is not a plain name']);
        size += sizeOf(key, depth + 1) + sizeOf(value, depth + 1);
      }
    }
    open.delete(node);
    sizes.set(node, size);
    return size;
  };
  let aliases = 0;
  const sizeOfAlias = (alias: Alias, offset: number): number => {
    aliases += 1;
    if (aliases === MOST_ALIASES + 1) found.push([offset, `is one alias more than the ${MOST_ALIASES} that are read`]);
    if (aliases > MOST_ALIASES) return 1;
    const target = alias.resolve(document);
    if (target === undefined) found.push([offset, `names the anchor ${alias.source}, which is not set before it`]);
    else if (open.has(target)) found.push([offset, `contains itself by the alias *${alias.source}`]);
    return sizes.get(target) ?? 1;
  };
  if (sizeOf(document.contents, 0) > LARGEST_VALUE) found.push([0, 'grows too large when its aliases are written out']);
  return found;
}

function view(
  document: Document,
  position: (offset: number) => { line: number; col: number },
  path: string,
  value: unknown,
): YamlFile {
  const at = (steps: YamlPath): Position => {
    const { line, col } = position(walk(document, steps).offset);
    return { line, column: col };
  };
  return {
    value,
    at,
    where(steps) {
      const { line, column } = at(steps);
      return `${path}:${line}:${column}`;
    },
    textAt(steps) {
      const { node } = walk(document, steps);
      return isScalar(node) ? (node.source ?? String(node.value)) : undefined;
    },
  };
}

/** Follows `path` through maps, lists and aliases; `offset` is that of the last key or entry that exists. */
function walk(document: Document, path: YamlPath): { readonly node: unknown; readonly offset: number } {
  let node: unknown = document.contents;
  let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0;
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
      if (pair === undefined) return { node: undefined, offset };
      if (isScalar(pair.key)) offset = pair.key.range?.[0] ?? offset;
      node = pair.value;
    } else if (isSeq(node) && typeof step === 'number' && step < node.items.length) {
      node = node.items[step];
      if (isNode(node)) offset = node.range?.[0] ?? offset;
    } else {
      return { node: undefined, offset };
    }
  }
  return { node: isAlias(node) ? node.resolve(document) : node, offset };
}

/** The value alone, of a file that nobody can mend here: what is wrong with it is a Failure. */
export function valueOfYaml(text: string, path: string): unknown {
  const read = readYaml(text, path);
  if (read.ok) return read.value.value;
  throw new Failure({ what: `${path} cannot be used`, why: read.problems.map(({ problem }) => problem).join('; ') });
}
