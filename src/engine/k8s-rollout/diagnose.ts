import { KubeFailure } from '../../domain/kubernetes/failure.ts';
import type { Origin } from '../../domain/kubernetes/manifest.ts';
import { type KubeObject, describeObject, keyOf, refOf } from '../../domain/kubernetes/object.ts';
import { type PodTrouble, type Subject, distinct, warningsAbout } from '../../domain/kubernetes/pods.ts';
import { EVENTS } from '../../domain/kubernetes/resource.ts';
import type { Cause, K8sTools } from './rollout.ts';
import type { Unready } from './wait.ts';

export interface Diagnosis {
  readonly causes: readonly Cause[];
  readonly lines: readonly string[];
}

const MOST_CAUSES = 3;
const LOG_LINES = 30;
const MOST_EVENTS = 8;
const LONGEST_LINE = 500;

/** What is known of those that did not come up: the reason first, then the last lines of the log, then the events. */
export async function diagnose(
  unready: readonly Unready[],
  originOf: (key: string) => Origin | undefined,
  tools: Pick<K8sTools, 'cluster' | 'log'>,
  signal: AbortSignal,
): Promise<Diagnosis> {
  const causes: Cause[] = [];
  const lines: string[] = [];
  for (const each of unready.slice(0, MOST_CAUSES)) {
    const { target, state } = each;
    const troubles = distinct(each.troubles, MOST_CAUSES);
    const logs = await logsOf(each, troubles, tools, signal);
    const name = describeObject(target.object);
    const [first] = troubles;
    const last = logs.flatMap(({ text }) => text).at(-1);
    const said = state.kind === 'waiting' ? `waits for ${state.for}` : state.kind === 'bad' ? state.why : state.by;
    const where = first?.container === undefined ? '' : `container ${first.container} `;
    const events = await eventsOf(each, tools, signal);
    // That it is not ready is no reason; what its probe got is one.
    const vague = first === undefined || first.reason === 'NotReady';
    const event = vague ? events.at(-1) : undefined;
    const why = vague ? `${where}${said}${event === undefined ? '' : `; ${event}`}` : `${where}${first.text}`;
    const text = `${name}: ${why}${last === undefined ? '' : `; last line of its log: ${cut(last)}`}`;
    const origin = originOf(keyOf(refOf(target.object)));
    causes.push({ text, ...(origin === undefined ? {} : { origin }) });
    lines.push(`${name}: ${said}`, ...troubles.map(lineOf));
    for (const { title, text: shown } of logs) lines.push(title, ...shown.map((line) => `    ${cut(line)}`));
    lines.push(...events.map((line) => `  event ${cut(line)}`));
  }
  return { causes, lines };
}

const cut = (line: string): string => (line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}…` : line);
const lineOf = ({ pod, container, text }: PodTrouble): string =>
  `  pod ${pod}${container === undefined ? '' : `, container ${container}`}: ${text}`;

interface ShownLog {
  readonly title: string;
  readonly text: readonly string[];
}

async function logsOf(
  { target, pods }: Unready,
  troubles: readonly PodTrouble[],
  { cluster, log }: Pick<K8sTools, 'cluster' | 'log'>,
  signal: AbortSignal,
): Promise<readonly ShownLog[]> {
  const { namespace } = target.object.metadata;
  const shown: ShownLog[] = [];
  for (const { pod, container, log: which } of troubles) {
    if (which === undefined || container === undefined || !pods.some(({ metadata }) => metadata.name === pod)) continue;
    const read = async (previous: 'yes' | 'no'): Promise<readonly string[]> => {
      try {
        const text = await cluster.podLog({ namespace, name: pod }, { container, previous, lines: LOG_LINES }, signal);
        return text.split(/\r?\n/).filter((line) => line.trim() !== '');
      } catch (thrown) {
        if (!(thrown instanceof KubeFailure)) throw thrown;
        log.debug(thrown.message);
        return [];
      }
    };
    const previous = which === 'previous' ? await read('yes') : [];
    const text = previous.length > 0 ? previous : await read('no');
    if (text.length > 0) shown.push({ title: `  last lines of container ${container} of pod ${pod}:`, text });
  }
  return shown;
}

const subjectOf = ({ kind, metadata: { name, uid } }: KubeObject): Subject => ({ kind, name, uid });

async function eventsOf(
  { target, pods, live }: Unready,
  { cluster, log }: Pick<K8sTools, 'cluster' | 'log'>,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { namespace } = target.object.metadata;
  const owners = pods.flatMap(({ metadata }) => metadata.ownerReferences ?? []);
  const subjects = [...[live ?? target.object, ...pods].map(subjectOf), ...owners];
  try {
    const { items } = await cluster.list(EVENTS, { namespace }, signal);
    return warningsAbout(subjects, items, MOST_EVENTS);
  } catch (thrown) {
    if (!(thrown instanceof KubeFailure)) throw thrown;
    log.debug(thrown.message);
    return [];
  }
}
