import { type Checked, bad, good } from '../inputs.ts';
import { type GitContext, branchOf, tagNameOf } from './context.ts';
import { formatDate, isTimeZone } from './date-format.ts';

/** One `{{ ... }}`: a name, its arguments in quotes, and its named ones. */
interface Call {
  readonly name: string;
  readonly words: readonly string[];
  readonly named: Readonly<Record<string, string>>;
}

/** Value of a call, or what is wrong with it. */
export type Evaluate = (call: Call) => string | { readonly problem: string; readonly accepted?: string };

const CALL = /\{\{([\s\S]*?)\}\}/g;
const WORD = /\s*(?:([A-Za-z_]\w*)=)?(?:'([^']*)'|"([^"]*)"|([^\s'"=]+))/y;

/** Replaces every `{{ ... }}`. An unknown one is an error: Handlebars would make nothing of it, and a tag would lack a part. */
export function expand(text: string, evaluate: Evaluate, input: string): Checked<string> {
  const problems: { problem: string; accepted?: string; given: string }[] = [];
  const expanded = text.replaceAll(CALL, (given, inside: string) => {
    const call = readCall(inside);
    const value = call === undefined ? { problem: 'is not an expression', accepted: ACCEPTED } : evaluate(call);
    if (typeof value === 'string') return value;
    problems.push({ given, ...value });
    return '';
  });
  if (problems.length > 0) return bad(...problems.map((each) => ({ input, ...each })));
  if (/\{\{|\}\}/.test(expanded))
    return bad({ input, given: text, problem: 'has braces that do not close', accepted: ACCEPTED });
  return good(expanded);
}

const ACCEPTED = "{{name}} or {{name 'text' tz='Zone/City'}}";

function readCall(inside: string): Call | undefined {
  const words: string[] = [];
  const named: Record<string, string> = {};
  const text = inside.trim();
  WORD.lastIndex = 0;
  while (WORD.lastIndex < text.length) {
    const match = WORD.exec(text);
    if (match === null) return undefined;
    const value = match[2] ?? match[3] ?? match[4] ?? '';
    if (match[1] === undefined) words.push(value);
    else named[match[1]] = value;
  }
  const [name, ...rest] = words;
  return name === undefined || !/^[a-z_]\w*$/i.test(name) ? undefined : { name, words: rest, named };
}

const GLOBAL = [
  'branch',
  'tag',
  'sha',
  'full_sha',
  'base_ref',
  'is_default_branch',
  'is_not_default_branch',
  'date',
  'commit_date',
];

/** The expressions that hold everywhere: `{{branch}}`, `{{sha}}`, `{{date 'YYYYMMDD' tz='UTC'}}`, ... */
export function globalExpression(context: GitContext): Evaluate {
  return (call) => {
    const plain = plainValue(call.name, context);
    if (plain !== undefined) return plain;
    if (call.name === 'date') return dateOf(call, context.now);
    if (call.name === 'commit_date')
      return context.commitDate === undefined
        ? {
            problem: 'cannot be told: the date of the commit is not known here',
            accepted: 'date, or a checkout before',
          }
        : dateOf(call, context.commitDate);
    return { problem: 'is not a known expression', accepted: GLOBAL.join(', ') };
  };
}

function plainValue(name: string, context: GitContext): string | undefined {
  const isDefault = branchOf(context) !== undefined && branchOf(context) === context.defaultBranch;
  switch (name) {
    case 'branch':
      return branchOf(context) ?? '';
    case 'tag':
      return tagNameOf(context) ?? '';
    case 'sha':
      return context.sha.slice(0, 7);
    case 'full_sha':
      return context.sha;
    case 'base_ref':
      return context.baseRef ?? '';
    case 'is_default_branch':
      return String(isDefault);
    case 'is_not_default_branch':
      return String(!isDefault);
    default:
      return undefined;
  }
}

function dateOf({ words, named }: Call, moment: GitContext['now']): ReturnType<Evaluate> {
  const zone = named['tz'] ?? 'UTC';
  const unknown = Object.keys(named).find((key) => key !== 'tz');
  if (unknown !== undefined || words.length > 1)
    return { problem: `does not take ${unknown ?? words[1]}`, accepted: "{{date 'YYYYMMDD' tz='Europe/Berlin'}}" };
  if (isTimeZone(zone) === 'no')
    return { problem: `names the time zone ${zone}, which is none`, accepted: 'a name such as Europe/Berlin or UTC' };
  return formatDate(moment, words[0] ?? 'YYYY-MM-DDTHH:mm:ssZ', zone);
}
