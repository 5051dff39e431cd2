import { Refused } from '../refused.ts';
import { objectsOf, textOf, textsOf, type TreeObject } from '../wire/tree.ts';
import type { Tags } from './load.ts';
import type { ElbModel } from './model.ts';

/** Tags of load balancers, listeners, rules and target groups. Own, because moto stops at 10 and knows no default rules. */
export interface TagStore {
  of(arn: string): Tags;
  seed(arn: string, tags: Tags): void;
  forget(arn: string): void;
  addTags(input: TreeObject, model: ElbModel): TreeObject;
  removeTags(input: TreeObject, model: ElbModel): TreeObject;
  describeTags(input: TreeObject, model: ElbModel): TreeObject;
}

const MOST = 50;
const ASKED = 20;
// The pattern of Tag$Key and Tag$Value in the API's model: JSON does not fit.
const ALLOWED = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;
const PATTERN = '^([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*)$';

export function tagStore(): TagStore {
  const all = new Map<string, Tags>();
  const of = (arn: string): Tags => all.get(arn) ?? {};
  return {
    of,
    seed: (arn, tags) => void all.set(arn, tags),
    forget: (arn) => void all.delete(arn),
    addTags(input, model) {
      const added = tagsGiven(input);
      for (const arn of resources(input, model)) {
        const together = { ...of(arn), ...added };
        if (Object.keys(together).length > MOST) {
          throw new Refused('TooManyTags', `The maximum number of tags per resource is [${MOST}]`);
        }
        all.set(arn, together);
      }
      return {};
    },
    removeTags(input, model) {
      const keys = new Set(textsOf(input['TagKeys']));
      for (const arn of resources(input, model)) {
        all.set(arn, Object.fromEntries(Object.entries(of(arn)).filter(([key]) => !keys.has(key))));
      }
      return {};
    },
    describeTags(input, model) {
      const arns = resources(input, model);
      if (arns.length > ASKED) {
        const message = `1 validation error detected: Value at 'resourceArns' failed to satisfy constraint: Member must have length less than or equal to ${ASKED}`;
        throw new Refused('ValidationError', message);
      }
      const described = arns.map((arn) => ({
        ResourceArn: arn,
        Tags: Object.entries(of(arn)).map(([Key, Value]) => ({ Key, Value })),
      }));
      return { TagDescriptions: described };
    },
  };
}

/** Checked for every call that gives tags, AddTags and the creating ones. */
export function tagsGiven(input: TreeObject): Tags {
  const given = objectsOf(input['Tags']).map((tag): [string, string] => [
    textOf(tag['Key']) ?? '',
    textOf(tag['Value']) ?? '',
  ]);
  given.forEach(([key, value], index) => {
    if (key === '' || key.length > 128)
      invalid(index, { at: 'key', given: key, rule: 'have length between 1 and 128' });
    if (value.length > 256)
      invalid(index, { at: 'value', given: value, rule: 'have length less than or equal to 256' });
    if (!ALLOWED.test(key))
      invalid(index, { at: 'key', given: key, rule: `satisfy regular expression pattern: ${PATTERN}` });
    if (!ALLOWED.test(value))
      invalid(index, { at: 'value', given: value, rule: `satisfy regular expression pattern: ${PATTERN}` });
    if (key.startsWith('aws:'))
      throw new Refused('ValidationError', `Tag keys starting with 'aws:' are reserved for system use`);
  });
  if (new Set(given.map(([key]) => key)).size < given.length) {
    throw new Refused('DuplicateTagKeys', 'A tag key was specified more than once');
  }
  return Object.fromEntries(given);
}

function invalid(index: number, wrong: { readonly at: string; readonly given: string; readonly rule: string }): never {
  const where = `tags.${index + 1}.member.${wrong.at}`;
  const message = `1 validation error detected: Value '${wrong.given}' at '${where}' failed to satisfy constraint: Member must ${wrong.rule}`;
  throw new Refused('ValidationError', message);
}

function resources(input: TreeObject, model: ElbModel): readonly string[] {
  const arns = textsOf(input['ResourceArns']);
  for (const arn of arns) {
    const { known, error } = KINDS.find(({ pattern }) => pattern.test(arn)) ?? UNKNOWN;
    if (!known(model).some((candidate) => candidate.arn === arn)) throw error;
  }
  return arns;
}

interface Kind {
  readonly pattern: RegExp;
  readonly known: (model: ElbModel) => readonly { readonly arn: string }[];
  readonly error: Refused;
}

const KINDS: readonly Kind[] = [
  {
    pattern: /:targetgroup\//,
    known: (model) => model.targetGroups,
    error: new Refused('TargetGroupNotFound', 'One or more target groups not found'),
  },
  {
    pattern: /:loadbalancer\//,
    known: (model) => model.loadBalancers,
    error: new Refused('LoadBalancerNotFound', 'One or more load balancers not found'),
  },
  {
    pattern: /:listener\//,
    known: (model) => model.listeners,
    error: new Refused('ListenerNotFound', 'One or more listeners not found'),
  },
  {
    pattern: /:listener-rule\//,
    known: (model) => model.rules,
    error: new Refused('RuleNotFound', 'One or more rules not found'),
  },
];

const UNKNOWN: Kind = {
  pattern: /./,
  known: () => [],
  error: new Refused('ValidationError', 'The specified resource ARN is not one of Elastic Load Balancing'),
};
