import { FunctionExpressionType, JSONPathEnvironment } from 'json-p3';
import { RE2JS } from 're2js';
import type { JsonQuery, Matchers, Pattern } from '../../domain/checks/document.ts';
import { messageOf } from '../../domain/failure.ts';
import type { FieldResult } from '../../domain/inputs.ts';

const LONGEST = 1_000;
/** Instructions. RE2's time is text times program: 400 of them took 6 s on 1 MiB in the worst case found; usual patterns have under 50. */
const LARGEST = 300;

/**
 * Regular expressions run on text of the application under test, so they must not be able to hang: RE2 is linear in the
 * text by construction, where a time limit would make the verdict depend on how fast the runner is. It has no look-around
 * and no back-references.
 */
const pattern = (source: string): FieldResult<Pattern> => {
  if (source.length > LONGEST)
    return { ok: false, problem: `is a regular expression of more than ${LONGEST} characters` };
  try {
    const compiled = RE2JS.compile(source);
    if (compiled.programSize() > LARGEST)
      return { ok: false, problem: 'is too large: its repetitions multiply', accepted: 'fewer or smaller {n,m}' };
    return {
      ok: true,
      value: { source, foundIn: (text) => compiled.test(text), allIn: (text) => groupsOf(compiled, text) },
    };
  } catch (error) {
    const accepted = 'RE2 syntax: no look-around, no back-references';
    return { ok: false, problem: `is not a regular expression: ${messageOf(error)}`, accepted };
  }
};

function groupsOf(compiled: RE2JS, text: string): readonly string[] {
  const matcher = compiled.matcher(text);
  const group = compiled.groupCount() > 0 ? 1 : 0;
  const found: string[] = [];
  while (matcher.find()) found.push(matcher.group(group) ?? '');
  return found;
}

const jsonQuery = (source: string): FieldResult<JsonQuery> => {
  try {
    const compiled = paths().compile(source);
    return {
      ok: true,
      value: {
        source,
        select: (document) => compiled.query(document as Parameters<typeof compiled.query>[0]).values(),
      },
    };
  } catch (error) {
    return {
      ok: false,
      problem: `is not a JSON path: ${messageOf(error)}`,
      accepted: 'RFC 9535, for example $.status',
    };
  }
};

/** What the checks grammar takes from libraries. */
export const matchers: Matchers = { pattern, jsonQuery };

let environment: JSONPathEnvironment | undefined;

/** The library's own `match` and `search` use backtracking expressions: these take their place. */
function paths(): JSONPathEnvironment {
  if (environment !== undefined) return environment;
  environment = new JSONPathEnvironment();
  const { ValueType, LogicalType } = FunctionExpressionType;
  const logical = (call: (text: string, pattern: RE2JS) => boolean) => ({
    argTypes: [ValueType, ValueType],
    returnType: LogicalType,
    call: (text: unknown, source: unknown): boolean => {
      const compiled = typeof text === 'string' && typeof source === 'string' ? compiledOrNot(source) : undefined;
      return compiled !== undefined && call(text as string, compiled);
    },
  });
  environment.functionRegister.set(
    'match',
    logical((text, compiled) => compiled.testExact(text)),
  );
  environment.functionRegister.set(
    'search',
    logical((text, compiled) => compiled.test(text)),
  );
  return environment;
}

/** The last pattern, because a filter asks for the same one at every node. */
let last: { readonly source: string; readonly compiled: RE2JS | undefined } | undefined;

/** RFC 9535 2.4.6: a pattern that is none matches nothing. */
function compiledOrNot(source: string): RE2JS | undefined {
  if (last?.source === source) return last.compiled;
  let compiled: RE2JS | undefined;
  try {
    compiled = source.length > LONGEST ? undefined : RE2JS.compile(source);
    if (compiled !== undefined && compiled.programSize() > LARGEST) compiled = undefined;
  } catch {
    compiled = undefined;
  }
  last = { source, compiled };
  return compiled;
}
