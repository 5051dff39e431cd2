import { entryText } from '../../../../src/domain/approval/approvers.ts';
import type { GateRequest, GateRules } from '../../../../src/domain/approval/gate-inputs.ts';
import type { GitHubAuth } from '../../../../src/domain/approval/github-auth.ts';
import type { Images } from '../../../../src/domain/images.ts';
import type { InputProblem } from '../../../../src/domain/inputs.ts';
import type { StepGate } from '../../../../src/domain/policy/policy.ts';
import type { GoalGate } from '../decide/goal.ts';

/** What approvals inside the steps need beside the policy; used only where the policy has one. */
export interface Asks {
  readonly auth: GitHubAuth | undefined;
  readonly environment: string | undefined;
  readonly images: Images | undefined;
}

/** A gate as its file and the inputs say it. */
export type StepRules = Omit<GateRequest, 'timeout' | 'step'>;

export interface Gates {
  readonly goal: readonly GoalGate[];
  /** By the percentage of the step. */
  readonly rules: ReadonlyMap<number, StepRules>;
}

export const NO_GATES: Gates = { goal: [], rules: new Map() };

/** PURE: what the policy asks of people, or every input that is missing for it at once. */
export function askProblems({ auth, environment, images }: Asks): readonly InputProblem[] {
  const why = 'the policy asks for approval inside its steps';
  return [
    ...(images === undefined
      ? [
          {
            input: 'images',
            problem: `is missing: ${why}, and an approval is bound to what is released`,
            accepted: 'the images output of the build, in place of image',
          },
        ]
      : []),
    ...(environment === undefined
      ? [
          {
            input: 'environment',
            problem: `is missing: ${why}, and it is given for one environment`,
            accepted: 'a name such as production',
          },
        ]
      : []),
    ...(auth === undefined
      ? [
          {
            input: 'token',
            problem: `is missing: ${why}, and the request is an issue`,
            accepted: 'a token with issues: write and actions: read, or app-id and private-key',
          },
        ]
      : []),
  ];
}

/** PURE: each gate of the policy with its rules, in the same order. */
export function gatesOf(gates: readonly StepGate[], rules: readonly GateRules[], asks: Asks): Gates {
  const joined = gates.flatMap((gate, index) => {
    const own = rules[index];
    if (own === undefined || asks.environment === undefined || asks.images === undefined) return [];
    const { environment, images } = asks;
    return [{ gate, own: { ...own, environment, images, compareWith: undefined, evidence: [] } satisfies StepRules }];
  });
  return {
    goal: joined.map(({ gate, own }) => ({ ...gate, who: whoOf(own) })),
    rules: new Map(joined.map(({ gate, own }) => [gate.before, own])),
  };
}

function whoOf({ approvers, minimum, groups }: GateRules): string {
  const people = `${minimum} of ${approvers.map(entryText).join(', ')}`;
  return [people, ...groups.map((group) => `${group.minimum} of group ${group.name}`)].join(', and ');
}
