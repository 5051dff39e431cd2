import type { FieldResult } from '../inputs.ts';
import { OR_STAGE } from '../input-shapes.ts';
import { type JsonSchema, closed } from '../json-schema.ts';
import { type ApproverEntry, ACCEPTED_APPROVERS, readApprovers } from './approvers.ts';

/** A group of approvers with a quorum of its own: `{ name: security, approvers: [team:acme/security], minimum: 1 }`. */
export interface GroupRule {
  readonly name: string;
  readonly approvers: readonly ApproverEntry[];
  readonly minimum: number;
  /** Without it the group always applies. */
  readonly when?: { readonly paths: readonly string[]; readonly labels: readonly string[] };
}

/** What changed, as far as it is known. Not known (`complete: false`) never means "nothing". */
export interface ChangedThings {
  readonly paths: readonly string[];
  readonly labels: readonly string[];
  readonly complete: boolean;
}

const KEYS = ['name', 'approvers', 'minimum', 'when'] as const;
const CONDITIONS = ['paths', 'labels'] as const;
const ACCEPTED = 'a list of { name, approvers, minimum, when: { paths, labels } }';

const textsSchema = (description: string): JsonSchema => ({
  type: 'array',
  items: { type: 'string', minLength: 1 },
  description,
});

/** As `readGroups` reads them. */
export const GROUPS_SCHEMA: JsonSchema = {
  type: 'array',
  items: closed<(typeof KEYS)[number]>(
    {
      name: { type: 'string', pattern: String.raw`^[\w -]{1,40}$${OR_STAGE}`, description: 'Name in the request.' },
      approvers: {
        type: 'array',
        minItems: 1,
        items: { type: 'string', pattern: '^(?:user|team):.', patternErrorMessage: ACCEPTED_APPROVERS },
        description: 'Who may approve for the group.',
      },
      minimum: {
        type: 'integer',
        minimum: 1,
        maximum: 100,
        default: 1,
        description: 'How many different persons of it must approve.',
      },
      when: closed<(typeof CONDITIONS)[number]>(
        {
          paths: textsSchema('Patterns of changed paths; `**` stands for any folders.'),
          labels: textsSchema('Labels of the pull request.'),
        },
        { minProperties: 1, description: 'When the group applies. Without it: always.' },
      ),
    },
    { required: ['name', 'approvers'] },
  ),
};

export function readGroups(value: unknown): FieldResult<readonly GroupRule[]> {
  if (!Array.isArray(value)) return { ok: false, problem: 'is not a list', accepted: ACCEPTED };
  const groups: GroupRule[] = [];
  for (const [index, entry] of value.entries()) {
    const group = readGroup(entry);
    if (typeof group === 'string') return { ok: false, problem: `entry ${index + 1} ${group}`, accepted: ACCEPTED };
    if (groups.some(({ name }) => name === group.name))
      return { ok: false, problem: `names the group ${group.name} twice`, accepted: ACCEPTED };
    groups.push(group);
  }
  return { ok: true, value: groups };
}

function readGroup(value: unknown): GroupRule | string {
  if (typeof value !== 'object' || value === null) return 'is not a group';
  const { name, approvers, minimum = 1, when } = value as Record<string, unknown>;
  const unknown = Object.keys(value).find((key) => !(KEYS as readonly string[]).includes(key));
  if (unknown !== undefined) return `has the unknown key ${unknown}`;
  if (typeof name !== 'string' || !/^[\w -]{1,40}$/.test(name)) return 'has no name of letters, digits, blanks and -';
  if (!isTexts(approvers)) return `(${name}) has no list of approvers`;
  const entries = readApprovers(approvers);
  if (!entries.ok) return `(${name}) ${entries.problem}`;
  if (typeof minimum !== 'number' || !Number.isSafeInteger(minimum) || minimum < 1 || minimum > 100)
    return `(${name}) has a minimum that is not a whole number from 1`;
  const condition = readCondition(when);
  if (typeof condition === 'string') return `(${name}) ${condition}`;
  return { name, approvers: entries.value, minimum, ...(condition === undefined ? {} : { when: condition }) };
}

function readCondition(when: unknown): GroupRule['when'] | string {
  if (when === undefined) return undefined;
  if (typeof when !== 'object' || when === null) return 'has a `when` that is not { paths, labels }';
  const { paths = [], labels = [] } = when as Record<string, unknown>;
  const unknown = Object.keys(when).find((key) => !(CONDITIONS as readonly string[]).includes(key));
  if (unknown !== undefined) return `has the unknown condition ${unknown}`;
  if (!isTexts(paths) || !isTexts(labels)) return 'has conditions that are not lists of texts';
  // An empty condition would never be met: a group that silently never applies is a gate that is open.
  if (paths.length + labels.length === 0) return 'has an empty `when`';
  return { paths, labels };
}

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((entry) => typeof entry === 'string' && entry !== '');

/** Whether a group applies, and why, in words for the request. Where the change is not wholly known it applies. */
export function groupApplies(group: GroupRule, changed: ChangedThings): string | undefined {
  if (group.when === undefined) return 'always';
  const path = changed.paths.find((each) => group.when?.paths.some((pattern) => matchesPath(pattern, each)));
  if (path !== undefined) return `${path} changed`;
  const label = changed.labels.find((each) => group.when?.labels.includes(each));
  if (label !== undefined) return `label ${label}`;
  return changed.complete ? undefined : 'not every change is known';
}

/** `*` stands for anything but a slash, `**` for anything; no other sign is special. A folder (`infra/`) means all in it. */
export function matchesPath(pattern: string, path: string): boolean {
  const whole = pattern.endsWith('/') ? `${pattern}**` : pattern;
  const source = whole
    .split(/(\*\*\/|\*\*|\*)/)
    .map((part) => {
      if (part === '**/') return '(?:.*/)?';
      if (part === '**') return '.*';
      return part === '*' ? '[^/]*' : part.replace(/[.+?^${}()|[\]\\]/g, String.raw`\$&`);
    })
    .join('');
  return new RegExp(`^${source}$`, 's').test(path);
}
