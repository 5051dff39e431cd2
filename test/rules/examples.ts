import { parseAllDocuments } from 'yaml';

type InputsByAction = Readonly<Record<string, ReadonlySet<string>>>;

/** Every workflow or list of steps in the fenced YAML of a Markdown text that uses an action or an input that is not there. */
export function exampleProblems(markdown: string, known: InputsByAction): string[] {
  return [...markdown.matchAll(/^```ya?ml\n([\s\S]*?)^```/gm)].flatMap(([, source = '']) =>
    parseAllDocuments(source).flatMap((document) =>
      document.errors.length > 0
        ? document.errors.map(({ message }) => message)
        : stepsIn(document.toJS()).flatMap((step) => stepProblems(step, known)),
    ),
  );
}

interface Step {
  readonly uses: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

function stepsIn(value: unknown): Step[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = 'uses' in value && typeof value.uses === 'string' ? [value as Step] : [];
  return [...own, ...Object.values(value).flatMap(stepsIn)];
}

function stepProblems({ uses, with: given = {} }: Step, known: InputsByAction): string[] {
  const [, action] = /(?:^|\/)actions\/([a-z0-9-]+)(?:@|$)/.exec(uses) ?? [];
  if (action === undefined || /^actions\//.test(uses)) return [];
  const inputs = known[action];
  if (inputs === undefined) return [`no action is called ${action}`];
  return Object.keys(given)
    .filter((input) => !inputs.has(input))
    .map((input) => `${action} has no input ${input}`);
}
