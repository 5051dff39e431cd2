import { type InputProblem, type Checked, bad, good } from '../inputs.ts';
import { type Manifest, placeOf, withObject } from './manifest.ts';
import { describeObject, fieldAt, isFields, withField } from './object.ts';

const WHOLE = /^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$/;
const INSIDE = /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g;

/**
 * Fills `${NAME}` in the values of Secrets, and nowhere else: a manifest names the secret, the workflow holds it. An empty
 * value has the name of its key. In `stringData` names may stand inside a text (a connection string); in `data`, which is
 * base64, only alone. `seen` is told every value, to be masked, before anything else is done with it.
 */
export function fillSecrets(
  manifests: readonly Manifest[],
  { lookUp, encode, seen }: SecretTools,
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
          accepted: `a line ${name}=... in secret-values, or the environment variable ${name}`,
        });
      else seen(value);
      return value ?? '';
    };
    const edit = (part: 'data' | 'stringData', change: (text: string, key: string) => string) => {
      const values = fieldAt(object, part);
      if (!isFields(values)) return {};
      return Object.fromEntries(
        Object.entries(values).map(([key, value]) => {
          // `PASSWORD:` without anything is null in YAML, and an empty value all the same.
          const text = value === null ? '' : value;
          if (typeof text === 'string') return [key, change(text, key)];
          problems.push({
            input: placeOf(origin),
            given: `${describeObject(object)}, ${part}.${key}`,
            problem: `is ${Array.isArray(text) ? 'a list' : typeof text === 'object' ? 'a map' : `a ${typeof text}`}`,
            accepted: 'text, in quotes',
          });
          return [key, ''];
        }),
      );
    };
    const strings = edit('stringData', (text, key) =>
      text === '' ? valueOf(key, key) : text.replaceAll(INSIDE, (_, name: string) => valueOf(name, key)),
    );
    const data = edit('data', (text, key) => {
      if (text === '') return encode(valueOf(key, key));
      const name = WHOLE.exec(text)?.[1];
      return name === undefined ? text : encode(valueOf(name, key));
    });
    // stringData is write-only and hard to compare: one form for what is sent, stored and compared.
    const all = {
      ...data,
      ...Object.fromEntries(Object.entries(strings).map(([key, text]) => [key, encode(String(text))])),
    };
    const plain = withField(object, ['stringData'], undefined);
    return withObject(manifest, Object.keys(all).length === 0 ? plain : { ...plain, data: all });
  });
  return problems.length > 0 ? bad(...problems) : good(filled);
}

export interface SecretTools {
  lookUp(name: string): string | undefined;
  /** Base64 of UTF-8. */
  encode(text: string): string;
  seen(value: string): void;
}
