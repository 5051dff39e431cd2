/** What a failure says: what failed (and where), why, what is true now, what to do next. Each is a clause without its full stop. */
export interface FailureFacts {
  /** `Could not set weight 50 on ALB rule web-443/10` */
  readonly what: string;
  /** `access denied for elasticloadbalancing:ModifyRule` */
  readonly why?: string;
  /** `Traffic is still 10/90` */
  readonly now?: string;
  /** `Grant the action to role deploy-prod, then re-run: it resumes at 50` */
  readonly next?: string;
}

const sentence = (text: string | undefined): string => (text ? ` ${text.replace(/[.\s]+$/, '')}.` : '');

/**
 * A failure that its reader can fix or must know about; its message is complete in itself. Everything thrown that is not
 * a Failure is a bug of ours and is reported as one, with its stack.
 */
export class Failure extends Error {
  override readonly name: string = 'Failure';
  readonly facts: FailureFacts;

  constructor(facts: FailureFacts, options?: { readonly cause?: unknown }) {
    const first = facts.why ? `${facts.what}: ${facts.why}` : facts.what;
    super(`${first.replace(/[.\s]+$/, '')}.${sentence(facts.now)}${sentence(facts.next)}`, options);
    this.facts = facts;
  }
}

/** The run was told to stop (a signal of the runner, or the end of a race). Never a verdict on the release. */
export class Cancelled extends Error {
  override readonly name: string = 'Cancelled';
  constructor(by: string) {
    super(`Cancelled by ${by}`);
  }
}

/** A wait passed its deadline. Whoever waited turns it into an outcome; nobody prints it as it is. */
export class DeadlinePassed extends Error {
  override readonly name: string = 'DeadlinePassed';
}

export const messageOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));
