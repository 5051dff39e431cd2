import { runBundle } from '../harness/run-bundle.ts';
import { type Ending, type Killed, unfinished, unsafe } from './blue-green-points.ts';

/** The runner lives: it runs `post`. */
export const post: Ending = {
  name: 'post',
  async end({ stage, main, atKill }) {
    const after = await runBundle(await stage.step({}, { phase: 'post', state: main.state }));
    const truth = await stage.truth();
    const wrong = unsafe(truth) ?? unfinished(truth, atKill.phase);
    return wrong ?? (after.exitCode === 0 ? undefined : `post ended with ${after.exitCode}: ${after.stdout}`);
  },
};

/** A person, or a runner that goes down, stops it: the step has 7.5 s, or 2.5 s, and `post` comes after it. */
const stopped = (signal: NodeJS.Signals): Ending => ({
  name: signal,
  signal,
  async end(killed) {
    const { main, atKill } = killed;
    if (main.signal !== null) return `${signal} was not handled: it ended by ${main.signal}`;
    const inTraffic = ['shifting', 'judging', 'rechecking'].includes(atKill.phase ?? '');
    if (inTraffic && atKill.weights.green !== 0)
      return `green has ${atKill.weights.green} after the step was gone: ${main.stdout}`;
    // The record of its last step was on its way when the signal took its users back, to a color of full size: the old end.
    const isBack = atKill.phase === 'finishing' && atKill.weights.green === 0 && atKill.desired.blue === 2;
    return post.end(isBack ? { ...killed, atKill: { ...atKill, phase: 'rolling-back' } } : killed);
  },
});
export const SIGINT = stopped('SIGINT');
export const SIGTERM = stopped('SIGTERM');

/** The runner is dead, and the failed job is started again. */
export const again: Ending = {
  name: 'the next attempt',
  async end({ stage, atKill }) {
    const after = await runBundle(await stage.step({}, { env: { GITHUB_RUN_ATTEMPT: '2' } }));
    const truth = await stage.truth();
    const outcome = after.outputs['outcome'];
    if (outcome !== 'promoted' && outcome !== 'rolled-back' && outcome !== 'unchanged')
      return `outcome ${outcome}: ${after.stdout}`;
    // Nothing is left to do where the end was recorded before the death.
    const ends = { promoted: 'done', 'rolled-back': 'rolled-back', unchanged: atKill.phase };
    const end = ends[outcome];
    if (truth.phase !== end) return `phase ${truth.phase} after ${outcome}`;
    const left = truth.phase === 'rolled-back' ? truth.desired.green : truth.desired.blue;
    return unfinished(truth, truth.phase) ?? (left === 0 ? undefined : `${left} tasks are left`);
  },
};

/** Lease, and a minute. */
const BACK_WITHIN = 90_000 + 60_000;
const HAS_TRAFFIC = ['shifting', 'judging', 'rechecking'];

/** Users are back in time where they were on a color that nobody judges any more. `slack`: how long the change takes to reach everybody. */
function inTime({ at, atKill }: Killed, { restored, slack }: { readonly restored: string | undefined; readonly slack: number }): string | undefined {
  if (!HAS_TRAFFIC.includes(atKill.phase ?? '')) return undefined;
  const took = Date.parse(restored ?? '') - at;
  return took <= BACK_WITHIN + slack ? undefined : `traffic was back ${took / 1_000} s after the kill (restored-at ${restored})`;
} // prettier-ignore

/** The runner is dead, and a second job looks after its shift. */
export const watch = (slack = 0): Ending => ({
  name: 'the watch',
  async end(killed) {
    const { stage, atKill } = killed;
    const env = await stage.world.run('watch');
    const after = await runBundle(await stage.step({ mode: 'watch', image: '', 'begin-within': '1m' }, { env }));
    const truth = await stage.truth();
    if (after.exitCode !== 0) return `the watch ended with ${after.exitCode}: ${after.stdout}`;
    return unfinished(truth, atKill.phase) ?? inTime(killed, { restored: after.outputs['restored-at'], slack });
  },
});

/** The runner is dead, nothing looks after it, and the scheduled look comes. */
export const reconcile: Ending = {
  name: 'reconcile',
  async end({ stage, atKill }) {
    await stage.world.advance(BACK_WITHIN);
    const env = { ...(await stage.world.run('reconcile')), GITHUB_RUN_ID: '9000' };
    const after = await runBundle(await stage.step({ mode: 'reconcile', image: '' }, { env }));
    const truth = await stage.truth();
    if (after.exitCode !== 0) return `reconcile ended with ${after.exitCode}: ${after.stdout}`;
    // At rest between two jobs on purpose; the old color's size is held for the way back.
    if (atKill.phase === 'switched') return undefined;
    return unfinished(truth, atKill.phase);
  },
};

/** Of a step that ends what another one began: what it had not taken over yet stays as it was. */
export const postOfLater: Ending = {
  name: 'post',
  async end(killed) {
    const { stage, main, atKill } = killed;
    const after = await runBundle(await stage.step({}, { phase: 'post', state: main.state }));
    if (after.exitCode !== 0) return `post ended with ${after.exitCode}: ${after.stdout}`;
    const truth = await stage.truth();
    if (atKill.phase !== 'switched') return unfinished(truth, atKill.phase);
    return truth.weights.green === 100 && truth.desired.green === 2 ? undefined : JSON.stringify(truth);
  },
};
