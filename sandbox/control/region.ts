import { createState, nextDue, step } from '../core/core.ts';
import type { Effect, Event, State, World as CoreWorld } from '../core/types.ts';
import type { SandboxClock } from './clock.ts';

/** Carries out one effect in the real world and says what became of it; undefined: nothing to tell. */
export type CarryOut = (effect: Effect, state: () => State) => Promise<Event | undefined>;

/** The core of one account in one region, with hands: what it decides happens, and what happens it is told. */
export interface Region {
  readonly name: string;
  state(): State;
  /** Synchronous: the new state is there at once, its effects follow. */
  apply(event: Event): State;
  /** When something is due by itself. */
  nextDue(): number | undefined;
  /** Lock-step: carries out what waits, and what follows from it, all at the present moment. */
  settle(): Promise<void>;
  close(): void;
}

export interface RegionOptions {
  readonly world: CoreWorld;
  readonly clock: SandboxClock;
  readonly carryOut: CarryOut;
  readonly log: (line: string) => void;
}

export function openRegion({ world, clock, carryOut, log }: RegionOptions): Region {
  let state = createState(world);
  let waiting: Effect[] = [];
  let timer: NodeJS.Timeout | undefined;
  let open = true;

  const perform = async (effect: Effect): Promise<Event | undefined> => {
    try {
      return await carryOut(effect, () => state);
    } catch (error) {
      log(`${effect.kind} failed: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  };

  function apply(event: Event): State {
    if (!open) return state;
    const stepped = step(state, event, clock.now());
    state = stepped.state;
    if (clock.kind === 'lock-step') waiting.push(...stepped.effects);
    else {
      for (const effect of stepped.effects) void perform(effect).then((answer) => answer && apply(answer));
      wake();
    }
    return state;
  }

  // Real time: one timer for the next thing that is due. Unreferenced, so that it keeps nobody's process alive.
  function wake(): void {
    clearTimeout(timer);
    const due = nextDue(state);
    if (due === undefined || !open) return;
    timer = setTimeout(() => apply({ kind: 'tick' }), Math.max(0, due - clock.now()));
    timer.unref();
  }

  return {
    name: world.region,
    state: () => state,
    apply,
    nextDue: () => nextDue(state),
    async settle() {
      while (waiting.length > 0) {
        const effects = waiting;
        waiting = [];
        // Together, as in life; told in the order of the effects, so that two runs are alike.
        const answers = await Promise.all(effects.map(perform));
        for (const answer of answers) if (answer !== undefined) apply(answer);
      }
    },
    close() {
      open = false;
      clearTimeout(timer);
    },
  };
}

const SPIN_LIMIT = 1_000;

/** Lock-step: moves time to `moment`, stopping at everything that is due in any of the regions, in order. */
export async function travel(regions: readonly Region[], clock: SandboxClock, moment: number): Promise<void> {
  if (clock.kind !== 'lock-step') throw new Error('real time cannot be advanced');
  await settleAll(regions);
  let standing = 0;
  for (;;) {
    const [first] = regions
      .map((region) => ({ region, due: region.nextDue() ?? Number.POSITIVE_INFINITY }))
      .sort((a, b) => a.due - b.due);
    if (first === undefined || first.due > moment) break;
    standing = first.due > clock.now() ? 0 : standing + 1;
    if (standing > SPIN_LIMIT)
      throw new Error(`the core of ${first.region.name} is due at ${first.due} again and again`);
    clock.moveTo(first.due);
    first.region.apply({ kind: 'tick' });
    await settleAll(regions);
  }
  clock.moveTo(moment);
}

const settleAll = async (regions: readonly Region[]): Promise<void> => {
  for (const region of regions) await region.settle();
};
