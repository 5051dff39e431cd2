/** Words for the job log. Text from a cloud, a cluster or a user's file goes through `verbatim`, never through the others. */
export interface Log {
  info(line: string): void;
  debug(line: string): void;
  warning(line: string): void;
  /** Text that is not ours, printed so that the runner cannot read it as a command. */
  verbatim(title: string, text: string): void;
}
