import { type Checked, type InputProblem, bad, good, nearestOf } from '../inputs.ts';

/** `{{IMAGE_TAG}}` and `{{ IMAGE_TAG }}`: upper case only, so that templates of Go and Jinja inside a ConfigMap stay as they are. */
const PLACEHOLDER = /\{\{\s*([A-Z][A-Z0-9_]*)\s*\}\}/g;
/** What may stand in YAML without quotes and in any quotes without an escape. */
const SAFE = /^[\w.:/@+-]+$/;

/** Values by name; only these are replaced. */
export type Placeholders = ReadonlyMap<string, string>;

/** Values that would change the structure of the YAML around them. */
export function checkPlaceholders(values: Placeholders, input = 'placeholders'): readonly InputProblem[] {
  return [...values]
    .filter(([, value]) => !SAFE.test(value))
    .map(([name, value]) => ({
      input,
      given: `${name}: ${value}`,
      problem: 'has a character that means something in YAML',
      accepted: 'letters, digits and . _ : / @ + -',
    }));
}

/**
 * Puts declared values into the text, before it is parsed. One in upper case that nobody declared is a problem with its
 * line, because it would reach the cluster as it stands. `used` gathers the names that occurred.
 */
export function fillPlaceholders(text: string, file: string, values: Placeholders, used: Set<string>): Checked<string> {
  const problems: InputProblem[] = [];
  const filled = text.replaceAll(PLACEHOLDER, (written, name: string, offset: number) => {
    const value = values.get(name);
    if (value !== undefined) {
      used.add(name);
      return value;
    }
    const line = text.slice(0, offset).split('\n').length;
    const nearest = nearestOf(name, [...values.keys()]);
    problems.push({
      input: `${file}:${line}`,
      given: written,
      problem: 'is a placeholder without a value',
      accepted: values.size === 0 ? 'a value in the input placeholders' : `one of ${[...values.keys()].join(', ')}`,
      ...(nearest === undefined ? {} : { nearest }),
    });
    return written;
  });
  return problems.length > 0 ? bad(...problems) : good(filled);
}
