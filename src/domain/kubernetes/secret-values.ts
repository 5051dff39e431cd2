import { type InputProblem, type Checked, bad, good } from '../inputs.ts';
import { type Manifest, placeOf, withObject } from './manifest.ts';
import { describeObject, fieldAt, isFields, withField } from './object.ts';

const WHOLE = /^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$/;
/** `$${NAME}` is written where the application fills `${NAME}` by itself. */
const INSIDE = /(\$?)\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Fills `${NAME}` in the values of Secrets, and nowhere else: a manifest names the secret, the workflow holds it. An empty
 * value (or none) has the name of its key, unless that can be no name, or a tool left it empty that nobody asked to fill. In `stringData` names may stand inside a text (a connection string); in `data`, which is
 * base64, only alone. `seen` is told every value, to be masked, before anything else is done with it.
 */
export function fillSecrets(
  manifests: readonly Manifest[],
  { lookUp, isAsked, encode, seen }: SecretTools,
): Checked<readonly Manifest[]> {
  const problems: InputProblem[] = [];
  const filled = manifests.map((manifest) => {
    const { object, origin } = manifest;
    if (object.kind !== 'Secret' || object.apiVersion !== 'v1') return manifest;
    const valueOf = (name: string, key: string): string => {
      const value = lookUp(name);
      if (value === undefined)
        problems.push({
          input: placeOf(origin),
          given: `\${${name}}`,
          problem: `in ${describeObject(object)}, key ${key}, has no value`,
          accepted: `a line ${name}=... in secret-values, or its name in secret-env and its value in the step's env; $\${${name}} where the application fills it`,
        });
      else seen(value);
      return value ?? '';
    };
    const ofKey = (key: string): string => {
      // A chart leaves values empty that are meant to be; what kustomize renders are the team's own files.
      const isMeant = !NAME.test(key) || (origin.file.startsWith('helm ') && !isAsked(key));
      return isMeant ? '' : valueOf(key, key);
    };
    const refuse = (at: string, problem: string, accepted: string): void => {
      problems.push({ input: placeOf(origin), given: `${describeObject(object)}, ${at}`, problem, accepted });
    };
    const edit = (part: 'data' | 'stringData', change: (text: string, key: string) => string) => {
      const values = fieldAt(object, part) ?? {};
      if (!isFields(values)) {
        refuse(part, `expected a mapping, got ${typeNameOf(values)}`, 'a mapping of keys to text');
        return {};
      }
      return Object.fromEntries(
        Object.entries(values).flatMap(([key, value]) => {
          // `KEY:` is how an empty value is mostly written in YAML.
          if (typeof value === 'string' || value === null) return [[key, change(value ?? '', key)]];
          refuse(`${part}.${key}`, `expected string, got ${typeNameOf(value)}`, 'text: put it in quotes');
          return [];
        }),
      );
    };
    const strings = edit('stringData', (text, key) =>
      text === ''
        ? ofKey(key)
        : text.replaceAll(INSIDE, (written: string, escape: string, name: string) =>
            escape === '' ? valueOf(name, key) : written.slice(1),
          ),
    );
    const data = edit('data', (text, key) => {
      if (text === '') return encode(ofKey(key));
      const name = WHOLE.exec(text)?.[1];
      if (name !== undefined) return encode(valueOf(name, key));
      if (!isBase64(text))
        refuse(`data.${key}`, 'is not base64', 'base64 of the value, or the value itself in stringData');
      return text;
    });
    // stringData is write-only and hard to compare: one form for what is sent, stored and compared.
    const all = {
      ...data,
      ...Object.fromEntries(Object.entries(strings).map(([key, text]) => [key, encode(text)])),
    };
    const plain = withField(object, ['stringData'], undefined);
    return withObject(manifest, Object.keys(all).length === 0 ? plain : { ...plain, data: all });
  });
  return problems.length > 0 ? bad(...problems) : good(filled);
}

/** What stands there, never the value: it may be a secret. */
const typeNameOf = (value: unknown): string =>
  Array.isArray(value) ? 'list' : isFields(value) ? 'mapping' : typeof value;

/** As the API server reads it: padded, of the standard alphabet, line breaks anywhere. It answers anything else with a 500. */
const isBase64 = (text: string): boolean =>
  /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text.replaceAll(/[\r\n]/g, ''));

export interface SecretTools {
  lookUp(name: string): string | undefined;
  /** Whether somebody said that this name has a value, also where it has none. */
  isAsked(name: string): boolean;
  /** Base64 of UTF-8. */
  encode(text: string): string;
  seen(value: string): void;
}

/** Other spellings of a name, which are not filled: `$NAME`, `${ NAME }`. */
const MISSPELT = /\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{\s+([A-Za-z_][A-Za-z0-9_]*)\s*\}|\{([A-Za-z_][A-Za-z0-9_]*)\s+\})/g;

/**
 * PURE. Where a name that was given a secret value stands and is not filled, and names that stand nowhere: such a text would
 * reach the pods as it is written, and nobody would notice.
 */
export function unfilledNames(manifests: readonly Manifest[], names: ReadonlySet<string>): readonly string[] {
  const used = new Set<string>();
  const warnings = manifests.flatMap(({ object, origin }): readonly string[] => {
    const isSecret = object.kind === 'Secret' && object.apiVersion === 'v1';
    return textsIn(object, []).flatMap(({ text, path }) => {
      const [key = ''] = path.slice(-1);
      if (isSecret && text === '' && names.has(key)) used.add(key);
      // A shell fills it there, from an environment that may well come from the very Secret.
      if (!isSecret && path.some((part) => part === 'command' || part === 'args')) return [];
      const found = [...text.matchAll(INSIDE)].flatMap(([, escape = '', name = '']) =>
        escape === '' && names.has(name) ? [name] : [],
      );
      for (const name of found) used.add(name);
      const isFilled = isSecret && /^(?:data|stringData)$/.test(path[0] ?? '');
      const spelt = [...text.matchAll(MISSPELT)].map(([written, ...forms]) => ({ written, name: forms.find(Boolean) }));
      const left = isFilled
        ? spelt.filter(({ name = '' }) => names.has(name)).map(({ written }) => written)
        : found.map((name) => `\${${name}}`);
      const where = `${describeObject(object)} (${placeOf(origin)}), .${path.join('.')}`;
      const why = isFilled ? 'only ${NAME} is filled' : 'secret-values are filled in values of Secrets only';
      return [...new Set(left)].map((written) => `${written} in ${where} stays as it is written: ${why}`);
    });
  });
  const unused = [...names].filter((name) => !used.has(name));
  return [
    ...warnings,
    ...unused.map((name) => `${name} of secret-values fills nothing: it stands in no value of a Secret`),
  ];
}

function textsIn(
  value: unknown,
  path: readonly string[],
): readonly { readonly text: string; readonly path: readonly string[] }[] {
  if (typeof value === 'string') return [{ text: value, path }];
  // `KEY:` in a Secret is an empty value.
  if (value === null) return [{ text: '', path }];
  if (Array.isArray(value)) return value.flatMap((each, index) => textsIn(each, [...path, String(index)]));
  return isFields(value) ? Object.entries(value).flatMap(([key, each]) => textsIn(each, [...path, key])) : [];
}
