import { nearestOf } from '../inputs.ts';
import type { Matchers, Template } from './document.ts';
import { type Place, complain } from './place.ts';
import { type RandomCall, RANDOM_CALLS, readRandomCall } from './random-call.ts';

export interface Names {
  /** What `{{ name }}` may name. */
  readonly variables: Readonly<Record<string, Template>>;
  /** Names that steps before this one capture; undefined outside flows, where there are no random values either. */
  readonly captured?: ReadonlySet<string>;
}

/** What readers of the document need beside the place. */
export interface Grammar extends Names {
  readonly matchers: Matchers;
}

type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'environment' | 'variable'; readonly name: string }
  | { readonly kind: 'random'; readonly call: RandomCall }
  | { readonly kind: 'wrong'; readonly text: string; readonly problem: string; readonly accepted: string };

const MARK = /\$\$\{|\$\{([^}]*)(\}?)|\{\{(.*?)(\}\}|$)/gs;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** `${NAME}` is an environment variable, `{{ name }}` a variable of the file, `$${` the two characters `${`. */
export function piecesOf(template: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let done = 0;
  for (const match of template.matchAll(MARK)) {
    if (match.index > done) pieces.push({ kind: 'text', text: template.slice(done, match.index) });
    pieces.push(pieceOf(match));
    done = match.index + match[0].length;
  }
  if (done < template.length) pieces.push({ kind: 'text', text: template.slice(done) });
  return pieces;
}

function pieceOf(match: RegExpMatchArray): Piece {
  const [all, environment, brace, variable, braces] = match;
  if (all === '$${') return { kind: 'text', text: '${' };
  if (environment?.startsWith('{')) {
    const problem = 'holds a workflow expression, which nobody evaluates in this file';
    return { kind: 'wrong', text: all, problem, accepted: '${NAME}, with the value in `env` of the step' };
  }
  if (environment !== undefined) {
    if (brace === '}' && NAME.test(environment)) return { kind: 'environment', name: environment };
    return {
      kind: 'wrong',
      text: all,
      problem: 'holds a broken reference',
      accepted: '${NAME}; $${ for the characters themselves',
    };
  }
  const name = (variable ?? '').trim();
  if (name.startsWith('$')) {
    const call = braces === '}}' ? readRandomCall(name) : undefined;
    if (call !== undefined) return { kind: 'random', call };
    return {
      kind: 'wrong',
      text: all,
      problem: `holds {{ ${name} }}, which is no random value`,
      accepted: RANDOM_CALLS,
    };
  }
  if (braces === '}}' && NAME.test(name)) return { kind: 'variable', name };
  return { kind: 'wrong', text: all, problem: 'holds a broken reference', accepted: '{{ name }} of a variable' };
}

export const namesIn = (template: string, kind: 'environment' | 'variable'): readonly string[] =>
  piecesOf(template).flatMap((piece) => (piece.kind === kind ? [piece.name] : []));

/** Whether any of it comes from the environment, by itself or through a variable, or from an earlier answer. */
export const takesFromEnvironment = (template: string, names: Names): boolean =>
  namesIn(template, 'environment').length > 0 ||
  namesIn(template, 'variable').some((name) => names.captured?.has(name)) ||
  namesIn(template, 'variable').some((name) => namesIn(names.variables[name] ?? '', 'environment').length > 0);

/** Judges the references of a text. */
export function readTemplate(place: Place, text: string, names: Names): Template {
  const known = [...Object.keys(names.variables), ...(names.captured ?? [])];
  for (const piece of piecesOf(text)) {
    if (piece.kind === 'wrong') complain(place, piece.problem, { accepted: piece.accepted });
    if (piece.kind === 'random' && names.captured === undefined) {
      complain(place, 'holds a random value, which only steps of flows have', { accepted: 'a flow' });
    }
    if (piece.kind === 'variable' && !known.includes(piece.name)) {
      complain(place, `uses the variable ${piece.name}, which is not defined`, {
        accepted: known.length === 0 ? 'no variable is defined here' : known.join(', '),
        nearest: nearestOf(piece.name, known),
      });
    }
  }
  return text as Template;
}

export interface Values {
  of(kind: 'environment' | 'variable', name: string): string;
  random(call: RandomCall): string;
}

/** The text with every reference replaced by what `values` answers. */
export const fill = (template: string, values: Values): string =>
  piecesOf(template)
    .map((piece) => {
      switch (piece.kind) {
        case 'text':
        case 'wrong':
          return piece.text;
        case 'environment':
        case 'variable':
          return values.of(piece.kind, piece.name);
        case 'random':
          return values.random(piece.call);
      }
    })
    .join('');
