/** Something on this machine that its owner can put right; its message is one complete line and is shown without a stack. */
export class SetupProblem extends Error {
  name = 'SetupProblem';
}
