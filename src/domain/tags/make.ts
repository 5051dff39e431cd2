import { type Checked, type InputProblem, bad, good } from '../inputs.ts';
import { type GitContext, type Semver, type TagTools, branchOf, pullOf, tagNameOf } from './context.ts';
import { type Evaluate, expand, globalExpression } from './expression.ts';
import { readPattern } from './parse.ts';
import { type Pep440, readPep440 } from './pep440.ts';
import type { Flavor, TagRule } from './rule.ts';
import { tagOf } from './sanitize.ts';

export interface MadeTag {
  readonly name: string;
  /** The rule it came from; `latest` is the flavor's. */
  readonly from: string;
  /** It moves from version to version: `latest`, or what it would be for another version. */
  readonly floating?: 'latest' | ((version: Semver) => string | undefined);
  /** The version that wants it, when it is one of semver. */
  readonly of?: string;
  /** The next commit of the same branch, pull request or schedule gets the same one. */
  readonly moves?: 'with-commits';
}

export interface Tagging {
  /** Without repository. The first is the version. */
  readonly tags: readonly MadeTag[];
  readonly version: string | undefined;
  /** What a rule did not give, and why. */
  readonly notes: readonly string[];
}

/** What one rule comes to. */
type Made =
  /** The rule is not meant for this event. */
  | { readonly kind: 'none' }
  /** The rule is meant for this event, and there is nothing that it could make. */
  | { readonly kind: 'unmet'; readonly why: string }
  | {
      readonly kind: 'text';
      readonly text: string;
      /** Of `latest=auto`. */
      readonly latest: 'yes' | 'no';
      readonly floating?: (version: Semver) => Checked<string>;
      readonly of?: string;
    };

interface Maker {
  readonly context: GitContext;
  readonly flavor: Flavor;
  readonly tools: TagTools;
  /** Of the rule at hand. */
  readonly global: (text: string) => Checked<string>;
}

/** PURE: rules in order -> tags. What makes a rule wrong is an error, and so is a release without a tag that was asked for. */
export function makeTags(
  rules: readonly TagRule[],
  flavor: Flavor,
  context: GitContext,
  tools: TagTools,
): Checked<Tagging> {
  const problems: InputProblem[] = [];
  const unmet: InputProblem[] = [];
  const tags: MadeTag[] = [];
  let latest: { readonly wanted: 'yes' | 'no'; readonly of?: string } | undefined;
  for (const rule of rules) {
    const input = `tags: ${rule.line}`;
    const global = (text: string): Checked<string> => expand(text, globalExpression(context), input);
    const made = madeBy(rule, { context, flavor, tools, global });
    if (!made.ok) {
      problems.push(...made.problems);
      continue;
    }
    if (made.value.kind === 'unmet') unmet.push({ input, problem: made.value.why });
    if (made.value.kind !== 'text') continue;
    const tag = finished(rule, made.value, { context, flavor, tools, global });
    if (!tag.ok) problems.push(...tag.problems);
    else if (!tags.some(({ name }) => name === tag.value.name)) tags.push(tag.value);
    latest ??= {
      wanted: flavor.latest === 'auto' ? made.value.latest : flavor.latest === 'true' ? 'yes' : 'no',
      ...(made.value.of === undefined ? {} : { of: made.value.of }),
    };
  }
  if (problems.length > 0) return bad(...problems);
  if (tags.length === 0 && unmet.length > 0) return bad(...unmet);
  const made = latest?.wanted === 'yes' ? withLatest(tags, latest.of, { context, flavor, tools }) : good(tags);
  if (!made.ok) return made;
  return good({
    tags: made.value,
    version: tags[0]?.name,
    notes: unmet.map(({ input, problem }) => `${input} gave no tag: ${problem}`),
  });
}

function madeBy(rule: TagRule, maker: Maker): Checked<Made> {
  const enabled = maker.global(rule.enable);
  if (!enabled.ok) return enabled;
  if (enabled.value !== 'true' && enabled.value !== 'false')
    return bad({
      input: `tags: ${rule.line}`,
      given: enabled.value,
      problem: 'is what enable comes to',
      accepted: 'true, false',
    });
  return enabled.value === 'true' ? made(rule, maker) : NONE;
}

const NONE: Checked<Made> = good({ kind: 'none' });
const unmet = (why: string): Checked<Made> => good({ kind: 'unmet', why });
const plain = (text: string | undefined, latest: 'yes' | 'no' = 'no'): Checked<Made> =>
  text === undefined ? NONE : good({ kind: 'text', text, latest });

function made(rule: TagRule, maker: Maker): Checked<Made> {
  const { context } = maker;
  switch (rule.type) {
    case 'schedule':
      return context.event === 'schedule' ? expanded(maker.global(rule.pattern)) : NONE;
    case 'semver':
      return ofSemver(rule, maker);
    case 'pep440':
      return ofPep440(rule, maker);
    case 'match':
      return ofMatch(rule, maker);
    case 'edge': {
      const branch = rule.branch === '' ? context.defaultBranch : rule.branch;
      return plain(branch !== undefined && branch === branchOf(context) ? 'edge' : undefined);
    }
    case 'ref':
      if (rule.event === 'tag') return ofTag(tagNameOf(context), maker);
      return plain(rule.event === 'pr' ? pullOf(context) : branchOf(context));
    case 'raw': {
      const value = maker.global(rule.value);
      if (value.ok && value.value === '')
        return bad({
          input: `tags: ${rule.line}`,
          problem: `comes to nothing on ${context.event} of ${context.ref}`,
          accepted: 'a value that is never empty, or enable= for the events that have it',
        });
      return expanded(value);
    }
    case 'sha':
      return plain(rule.format === 'short' ? context.sha.slice(0, 7) : context.sha);
  }
}

/** A tag that is a version moves `latest` as one: forward only. */
function ofTag(name: string | undefined, { tools }: Maker): Checked<Made> {
  const version = name === undefined ? undefined : tools.semver.read(name);
  if (name === undefined || version === undefined) return plain(name, 'yes');
  return good({ kind: 'text', text: name, latest: 'yes', of: version.version });
}

const expanded = (text: Checked<string>): Checked<Made> => (text.ok ? plain(text.value) : text);

/** Text that a rule for versions reads: its own value, or the tag that was pushed; cut to what `match` finds. */
function versionText(
  rule: { readonly value: string; readonly match?: string },
  { context, global }: Maker,
): Checked<string | undefined> {
  const given = rule.value === '' ? good(tagNameOf(context)?.replaceAll('/', '-')) : global(rule.value);
  if (!given.ok || given.value === undefined || rule.match === undefined || rule.match === '') return given;
  const found = readPattern(rule.match)?.exec(given.value);
  return good(found?.[1] ?? found?.[0] ?? given.value);
}

function ofSemver(rule: Extract<TagRule, { type: 'semver' | 'pep440' }>, maker: Maker): Checked<Made> {
  const text = versionText(rule, maker);
  if (!text.ok) return text;
  if (text.value === undefined) return NONE;
  const version = maker.tools.semver.read(text.value);
  if (version === undefined) return notAVersion(rule, text.value, 'semver (https://semver.org)');
  const isRelease = version.prerelease === '';
  // A release candidate is nobody's 1.2, so it gets its whole version or nothing.
  const pattern = isRelease || isRaw(rule.pattern) ? rule.pattern : '{{version}}';
  const fill = (each: Semver): Checked<string> => expand(pattern, fieldsOf(each, maker), `tags: ${rule.line}`);
  const filled = fill(version);
  if (!filled.ok) return filled;
  const moves = isRelease && filled.value !== version.version && filled.value !== version.raw;
  return good({
    kind: 'text',
    text: filled.value,
    latest: isRelease ? 'yes' : 'no',
    ...(isRelease ? { of: version.version } : {}),
    ...(moves ? { floating: fill } : {}),
  });
}

function ofPep440(rule: Extract<TagRule, { type: 'semver' | 'pep440' }>, maker: Maker): Checked<Made> {
  const text = versionText(rule, maker);
  if (!text.ok) return text;
  if (text.value === undefined) return NONE;
  const version = readPep440(text.value);
  if (version === undefined) return notAVersion(rule, text.value, 'PEP 440');
  const isFinal = version.kind === 'final';
  const pattern = isFinal || isRaw(rule.pattern) ? rule.pattern : '{{version}}';
  const filled = expand(pattern, fieldsOf(version, maker), `tags: ${rule.line}`);
  return filled.ok ? good({ kind: 'text', text: filled.value, latest: isFinal ? 'yes' : 'no' }) : filled;
}

/** A value that was given is a demand; a pushed tag of another form may belong to another rule. */
function notAVersion(rule: TagRule & { readonly value: string }, text: string, grammar: string): Checked<Made> {
  if (rule.value === '') return unmet(`${text} is not a version of ${grammar}`);
  const accepted = 'a version such as 1.4.0, or enable= for the events that have one';
  return bad({ input: `tags: ${rule.line}`, given: text, problem: `is not a version of ${grammar}`, accepted });
}

const isRaw = (pattern: string): boolean => /^\{\{\s*raw\s*\}\}$/.test(pattern);

/** Parts of a version before the expressions that hold everywhere. */
function fieldsOf(version: Semver | Pep440, { context }: Maker): Evaluate {
  const fields = new Map(Object.entries(version).map(([name, value]) => [name, String(value)]));
  const otherwise = globalExpression(context);
  return (call) => (call.name === 'kind' ? undefined : fields.get(call.name)) ?? otherwise(call);
}

function ofMatch(rule: Extract<TagRule, { type: 'match' }>, maker: Maker): Checked<Made> {
  const text = versionText(rule, maker);
  if (!text.ok) return text;
  if (text.value === undefined) return NONE;
  const found = readPattern(rule.pattern)?.exec(text.value);
  if (!found) return unmet(`${rule.pattern} does not match ${text.value}`);
  const group = found[rule.group];
  return group === undefined
    ? unmet(`${rule.pattern} has no group ${rule.group} in ${text.value}`)
    : plain(group, 'yes');
}

/** With prefix and suffix, as a tag that registries take. */
function finished(
  rule: TagRule,
  { text, floating, of }: Extract<Made, { kind: 'text' }>,
  maker: Maker,
): Checked<MadeTag> {
  const { flavor, tools, global } = maker;
  const prefix = global(rule.prefix ?? flavor.prefix);
  const suffix = global(rule.suffix ?? flavor.suffix);
  if (!prefix.ok || !suffix.ok)
    return bad(...(prefix.ok ? [] : prefix.problems), ...(suffix.ok ? [] : suffix.problems));
  const whole = (each: string): string => tagOf(`${prefix.value}${each}${suffix.value}`, flavor.changed, tools.sha256);
  const elsewhere = (version: Semver): string | undefined => {
    const filled = floating?.(version);
    return filled?.ok ? whole(filled.value) : undefined;
  };
  return good({
    name: whole(text),
    from: rule.line,
    ...(floating === undefined ? {} : { floating: elsewhere }),
    ...(of === undefined ? {} : { of }),
    ...(movesWithCommits(rule) ? { moves: 'with-commits' } : {}),
  });
}

const movesWithCommits = (rule: TagRule): boolean =>
  rule.type === 'schedule' || rule.type === 'edge' || (rule.type === 'ref' && rule.event !== 'tag');

function withLatest(
  tags: readonly MadeTag[],
  of: string | undefined,
  { context, flavor, tools }: Omit<Maker, 'global'>,
): Checked<readonly MadeTag[]> {
  const prefix = flavor.prefixLatest === 'yes' ? flavor.prefix : '';
  const suffix = flavor.suffixLatest === 'yes' ? flavor.suffix : '';
  const text = expand(`${prefix}latest${suffix}`, globalExpression(context), 'flavor');
  if (!text.ok) return text;
  const name = tagOf(text.value, flavor.changed, tools.sha256);
  const latest: MadeTag = { name, from: 'flavor', floating: 'latest', ...(of === undefined ? {} : { of }) };
  return good([...tags.filter((tag) => tag.name !== name), latest]);
}
