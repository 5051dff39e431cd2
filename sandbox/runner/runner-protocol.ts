/**
 * What GitHub's runner reads from a step: commands on its output (actions/runner, ActionCommand.cs and
 * ActionCommandManager.cs) and `name=value` files (FileCommandManager.cs). A second implementation on purpose, from the
 * runner's side, so that tests see what the runner would see.
 */
export interface RunnerCommand {
  readonly name: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly data: string;
}

export interface RunnerOutput {
  readonly commands: readonly RunnerCommand[];
  /** Lines that were no commands, as the log shows them. */
  readonly lines: readonly string[];
  /** Whether commands were still stopped at the end. */
  readonly stopped: boolean;
}

const COMMANDS = [
  ...['error', 'warning', 'notice', 'debug', 'group', 'endgroup', 'add-mask', 'stop-commands', 'echo', 'set-output'],
  ...['save-state', 'set-env', 'add-path', 'add-matcher', 'remove-matcher', 'internal-set-repo-path'],
];

export function readRunnerOutput(output: string): RunnerOutput {
  const registered = new Set(COMMANDS);
  const commands: RunnerCommand[] = [];
  const lines: string[] = [];
  let token: string | undefined;
  for (const line of output.replace(/\n$/, '').split(/\r\n|\r|\n/)) {
    const command = parseV2(line, registered) ?? parseV1(line, registered);
    if (command === undefined) lines.push(line);
    else if (token !== undefined) {
      if (command.name === token) {
        registered.delete(token);
        token = undefined;
      } else lines.push(line);
    } else if (command.name === 'stop-commands') {
      token = command.data.toLowerCase();
      registered.add(token);
    } else commands.push(command);
  }
  return { commands, lines, stopped: token !== undefined };
}

/** `::name key=value,key=value::data`, after any blanks. */
function parseV2(line: string, registered: ReadonlySet<string>): RunnerCommand | undefined {
  const message = line.replace(/^[\s\u0085]+/, '');
  if (!message.startsWith('::')) return undefined;
  const end = message.indexOf('::', 2);
  if (end < 0) return undefined;
  return commandOf(message.slice(2, end), message.slice(end + 2), { registered, separator: ',' });
}

/** `##[name key=value;key=value]data`, anywhere in the line. */
function parseV1(line: string, registered: ReadonlySet<string>): RunnerCommand | undefined {
  const start = line.indexOf('##[');
  const end = start < 0 ? -1 : line.indexOf(']', start);
  if (end < 0) return undefined;
  return commandOf(line.slice(start + 3, end), line.slice(end + 1), { registered, separator: ';' });
}

interface CommandForm {
  readonly registered: ReadonlySet<string>;
  readonly separator: string;
}

function commandOf(info: string, data: string, { registered, separator }: CommandForm): RunnerCommand | undefined {
  const space = info.indexOf(' ');
  const name = (space < 0 ? info : info.slice(0, space)).toLowerCase();
  if (!registered.has(name)) return undefined;
  const pairs = (space < 0 ? '' : info.slice(space + 1).trim()).split(separator);
  const properties = Object.fromEntries(
    pairs
      .filter((pair) => pair.includes('='))
      .map((pair) => [pair.slice(0, pair.indexOf('=')), unescapeProperty(pair.slice(pair.indexOf('=') + 1))]),
  );
  return { name, properties, data: unescapeData(data) };
}

const unescapeData = (text: string): string =>
  text.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%');
const unescapeProperty = (text: string): string =>
  unescapeData(text.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%3A', ':').replaceAll('%2C', ','));

/** `name=value` lines and `name<<DELIMITER ... DELIMITER` blocks, as the runner reads GITHUB_OUTPUT and GITHUB_STATE. */
export function readRunnerFile(text: string): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  const lines = text.split(/\r\n|\r|\n/);
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? '';
    if (line === '') continue;
    const equals = line.indexOf('=');
    const heredoc = line.indexOf('<<');
    if (heredoc >= 0 && (equals < 0 || heredoc < equals)) {
      const delimiter = line.slice(heredoc + 2);
      const end = lines.indexOf(delimiter, index + 1);
      if (end < 0) throw new Error(`The runner would refuse this file: no line "${delimiter}" after "${line}"`);
      found[line.slice(0, heredoc)] = lines.slice(index + 1, end).join('\n');
      index = end;
    } else if (equals >= 0) {
      found[line.slice(0, equals)] = line.slice(equals + 1);
    } else {
      throw new Error(`The runner would refuse this file: "${line}" has no name`);
    }
  }
  return found;
}
