import { canonicalJson } from '../canonical-json.ts';
import type { Instant } from '../duration.ts';
import { Failure } from '../failure.ts';
import type { Images } from '../images.ts';
import { type Checked, type InputProblem, bad, flag, good, text } from '../inputs.ts';
import { type Grant, checkGrant } from './grant.ts';

/** Inputs of every action that changes an environment behind a gate, in the same words. */
export const approvalInputs = {
  'require-approval': flag({
    description:
      'With `true`, nothing is released without a grant of approval-gate for exactly these `images` in this `environment`. Going back and looking need none.',
    from: 'stage',
    fallback: 'false',
  }),
  approval: text({
    description: 'The `approval` output of approval-gate; checked when `require-approval` is `true`.',
  }),
  environment: text({
    description:
      'Name of the environment that is approved and released to, as the request and the grant show it. An action that wants a grant needs it with `require-approval`. Example: `production`.',
    from: 'stage',
  }),
};

export interface ApprovalValues {
  readonly 'require-approval': boolean;
  readonly approval: string | undefined;
  readonly environment: string | undefined;
  /** What the grant is bound to; an image that is named by itself has none. */
  readonly images: Images | undefined;
}

/** What has to be shown before the first call to the cloud. */
export type ApprovalDemand =
  | { readonly kind: 'none' }
  | { readonly kind: 'grant'; readonly text: string; readonly environment: string; readonly images: Images };

/** PURE. A grant that is missing is no problem of the inputs but a refusal: `requireApproval` names it with its reason. */
export function approvalDemand(values: ApprovalValues): Checked<ApprovalDemand> {
  if (!values['require-approval']) return good({ kind: 'none' });
  const { images, environment, approval } = values;
  const problems: InputProblem[] = [];
  if (images === undefined)
    problems.push({
      input: 'images',
      problem: 'is missing: with require-approval, what is released is compared with what was approved',
      accepted: 'the images output of the build, in place of image',
    });
  if (environment === undefined)
    problems.push({
      input: 'environment',
      problem: 'is missing: an approval is given for one environment',
      accepted: 'the name that approval-gate was given',
    });
  if (images === undefined || environment === undefined) return bad(...problems);
  return good({ kind: 'grant', text: approval ?? '', environment, images });
}

export interface ApprovalTools {
  /** `acme/shop`: whose grant it must be. */
  readonly repository: string;
  readonly now: Instant;
  sha256(text: string): string;
}

/** PURE. The grant, when one is demanded; a Failure with every reason against it. Call it before anything is touched. */
export function requireApproval(demand: ApprovalDemand, tools: ApprovalTools): Grant | undefined {
  if (demand.kind === 'none') return undefined;
  const { environment, images } = demand;
  const imagesSha256 = tools.sha256(canonicalJson(images));
  const checked = checkGrant(demand.text, { repository: tools.repository, environment, imagesSha256 }, tools.now);
  if (checked.ok) return checked.grant;
  throw new Failure({
    what: `The approval for ${environment} does not hold`,
    why: checked.reasons.join('; '),
    now: 'Nothing was touched',
    next: `Let approval-gate ask for these images and ${environment}, and pass its output approval`,
  });
}
