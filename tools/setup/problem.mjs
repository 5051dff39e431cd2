/** Something on this machine that its owner can put right; its message is complete and is shown without a stack. */
export class SetupProblem extends Error {
  name = 'SetupProblem';

  constructor(message, { cause, exitCode = 1 } = {}) {
    super(message, { cause });
    this.exitCode = exitCode;
  }
}
