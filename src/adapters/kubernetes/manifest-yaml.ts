import { type Document, LineCounter, type ScalarTag, type Tags, isMap, isNode, isSeq, parseAllDocuments } from 'yaml';
import { type Checked, type InputProblem, bad, good, printable } from '../../domain/inputs.ts';
import type { Manifest } from '../../domain/kubernetes/manifest.ts';
import { type Fields, type KubeObject, isFields } from '../../domain/kubernetes/object.ts';

/** Larger than any set of manifests; an alias bomb is larger still when it is written out. */
const LARGEST_TEXT = 8 * 1024 * 1024;
const MOST_ALIASES = 1_000;

/** `0o17`, which Go reads as an octal number and YAML 1.1 does not know. */
const goOctal: ScalarTag = {
  identify: () => false,
  default: true,
  tag: 'tag:yaml.org,2002:int',
  test: /^[-+]?0o[0-7_]+$/,
  resolve: (text) => {
    const digits = text.replaceAll('_', '');
    return digits.startsWith('-') ? -Number(digits.slice(1)) : Number(digits.replace('+', ''));
  },
};

/**
 * What kubectl's parser (sigs.k8s.io/yaml, a YAML 1.1 reader) makes of a scalar: `0400` is octal and `yes` is true, but
 * `12:30:45` and `2026-01-02` stay text, and there are no sets and no binaries.
 */
const asKubectl = (tags: Tags): Tags => [
  goOctal,
  ...tags.filter(
    (tag) =>
      typeof tag === 'string' ||
      (!/(?:timestamp|binary|omap|pairs|set)$/.test(tag.tag) && !('format' in tag && tag.format === 'TIME')),
  ),
];

/** All objects of one text, in order. Documents without content (comments, as helm writes them) are no objects. */
export function readManifests(text: string, file: string): Checked<readonly Manifest[]> {
  if (text.length > LARGEST_TEXT) return bad({ input: file, problem: `is longer than ${LARGEST_TEXT} characters` });
  const lines = new LineCounter();
  const lineAt = (offset: number): number => lines.linePos(offset).line;
  const documents = parseAllDocuments(text, {
    version: '1.1',
    merge: true,
    customTags: asKubectl,
    lineCounter: lines,
    prettyErrors: false,
  });
  const read = Array.isArray(documents) ? documents : [];
  const problems: InputProblem[] = [];
  const manifests = read.flatMap((document): readonly Manifest[] => {
    const wrong = [...document.errors, ...document.warnings];
    if (wrong.length > 0) {
      problems.push(
        ...wrong.map((each) => ({
          input: `${file}:${lineAt(each.pos[0])}`,
          problem: `is not YAML that can be used: ${printable(each.message)}`,
        })),
      );
      return [];
    }
    return objectsOf(document, { file, lineAt, problems });
  });
  return problems.length > 0 ? bad(...problems) : good(manifests);
}

interface Place {
  readonly file: string;
  lineAt(offset: number): number;
  readonly problems: InputProblem[];
}

function objectsOf(document: Document, place: Place): readonly Manifest[] {
  const { contents } = document;
  const line = place.lineAt(isNode(contents) ? (contents.range?.[0] ?? 0) : 0);
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: MOST_ALIASES });
  } catch (thrown) {
    const problem = `is not YAML that can be used: ${thrown instanceof Error ? printable(thrown.message) : 'too deep'}`;
    place.problems.push({ input: `${place.file}:${line}`, problem });
    return [];
  }
  return flattened(value, contents, { ...place, line });
}

/** A List holds objects, and Lists: kubectl opens all of them. */
function flattened(value: unknown, node: unknown, place: Place & { readonly line: number }): readonly Manifest[] {
  if (value === null || value === undefined) return [];
  if (!isFields(value) || !/List$/.test(String(value['kind'])) || !Array.isArray(value['items']))
    return checked(value, place.line, place);
  const items = isMap(node) ? node.get('items', true) : undefined;
  const nodes = isSeq(items) ? items.items : [];
  return (value['items'] as readonly unknown[]).flatMap((item, index) => {
    const own = nodes[index];
    return flattened(item, own, { ...place, line: isNode(own) ? place.lineAt(own.range?.[0] ?? 0) : place.line });
  });
}

const NAMES = 'lower-case letters, digits, - and, in names, .';
/** What the server takes as the last part of a path, with room for the colons and capitals of roles. */
const NAME = /^(?!\.{1,2}$)[^/%\s\p{Cc}]{1,253}$/u;

function checked(value: unknown, line: number, { file, problems }: Place): readonly Manifest[] {
  const input = `${file}:${line}`;
  const refuse = (problem: string, accepted: string): readonly Manifest[] => {
    problems.push({ input, problem, accepted });
    return [];
  };
  if (!isFields(value)) return refuse('is no object', 'a Kubernetes object with apiVersion, kind and metadata.name');
  const { apiVersion, kind, metadata } = value;
  if (typeof apiVersion !== 'string' || typeof kind !== 'string' || apiVersion === '' || kind === '')
    return refuse('has no apiVersion or no kind', 'apiVersion: apps/v1 and kind: Deployment');
  const { name, generateName, namespace } = isFields(metadata) ? metadata : ({} as Fields);
  if (generateName !== undefined && name === undefined)
    return refuse('has generateName, which makes another object at each run', 'metadata.name');
  if (typeof name !== 'string' || name === '')
    return refuse(`is a ${kind} without metadata.name`, 'metadata.name as text');
  if (!NAME.test(name))
    return refuse(`is a ${kind} with the name ${JSON.stringify(printable(name))}, which no object can have`, NAMES);
  if (typeof namespace === 'string' && !/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(namespace))
    return refuse(`has the namespace ${JSON.stringify(printable(namespace))}, which none can be called`, NAMES);
  if (namespace !== undefined && typeof namespace !== 'string')
    return refuse('has a namespace that is no text', 'metadata.namespace as text');
  for (const part of ['labels', 'annotations'] as const) {
    const wrong = Object.entries(isFields(metadata) && isFields(metadata[part]) ? metadata[part] : {}).find(
      ([, each]) => typeof each !== 'string',
    );
    if (wrong !== undefined)
      return refuse(`has the ${part.slice(0, -1)} ${wrong[0]} with a value that is no text`, 'quotes around the value');
  }
  return [{ object: value as KubeObject, origin: { file, line } }];
}
