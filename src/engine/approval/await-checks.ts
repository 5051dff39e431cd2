import { type Instant, seconds } from '../../domain/duration.ts';
import { Failure } from '../../domain/failure.ts';
import type { CheckRun } from '../../ports/code-host.ts';
import { type Ports, patiently } from './ports.ts';
import { allOf } from './resolve-seats.ts';
import type { GateRequest } from '../../domain/approval/gate-inputs.ts';

interface Asked {
  readonly request: Pick<GateRequest, 'requireChecks' | 'environment'>;
  readonly commit: string;
  readonly deadline: Instant;
}

/** Waits until the named checks of the commit are green; gives back what was seen, for the record. */
export async function awaitChecks(
  { request, commit, deadline }: Asked,
  ports: Ports,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (request.requireChecks.length === 0) return [];
  for (;;) {
    const seen = await patiently(ports, signal, () => readChecks(request, commit, ports, signal));
    const red = seen.filter(({ state }) => state === 'red');
    if (red.length > 0) throw refused(request.environment, red, 'Mend what is red, then run again');
    const open = seen.filter(({ state }) => state !== 'green');
    if (open.length === 0) return seen.map(({ words }) => words);
    if (ports.clock.now() >= deadline)
      throw refused(request.environment, open, 'Let the checks end before this gate, or raise timeout');
    ports.log.info(`Waiting for ${open.map(({ words }) => words).join(', ')}`);
    await ports.clock.sleep(seconds(30), signal);
  }
}

/** What is not green any more at the decision, in words; undefined: all is. */
export async function checksTurned(
  request: Pick<GateRequest, 'requireChecks'>,
  commit: string,
  ports: Ports,
  signal: AbortSignal,
): Promise<string | undefined> {
  const seen = await readChecks(request, commit, ports, signal);
  const bad = seen.filter(({ state }) => state !== 'green');
  return bad.length === 0 ? undefined : bad.map(({ words }) => words).join(', ');
}

interface SeenCheck {
  readonly state: CheckRun['state'] | 'missing';
  readonly words: string;
}

function readChecks(
  { requireChecks }: Pick<GateRequest, 'requireChecks'>,
  commit: string,
  { code, tracker }: Ports,
  signal: AbortSignal,
): Promise<readonly SeenCheck[]> {
  return allOf(
    requireChecks.map((name) => ({
      what: `check ${name}`,
      work: async () => stateOf(name, await code.checks(commit, checkName(name), signal)),
    })),
    tracker,
  );
}

/** `unit@github-actions`: only runs of this app. Anybody with `checks: write` may make a green run of any name. */
const checkName = (entry: string): string => entry.split('@')[0] ?? entry;

function stateOf(entry: string, runs: readonly CheckRun[]): SeenCheck {
  const app = entry.split('@')[1];
  const own = runs.filter((run) => app === undefined || run.app === app);
  const worst = own.find(({ state }) => state === 'red') ?? own.find(({ state }) => state === 'pending') ?? own[0];
  if (worst === undefined) return { state: 'missing', words: `${entry} has not begun` };
  return { state: worst.state, words: `${entry} is ${worst.said}` };
}

const refused = (environment: string, checks: readonly SeenCheck[], next: string): Failure =>
  new Failure({
    what: `The gate for ${environment} was not opened`,
    why: checks.map(({ words }) => words).join(', '),
    now: 'Nothing was deployed',
    next,
  });
