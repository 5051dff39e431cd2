import { setTimeout as wait } from 'node:timers/promises';

/** Until the engine has compiled what it runs: a load of a minute is that for nearly all of its time. */
export const WARM_UP = 1.5;

/** Prints what a generator that is running already did in so many seconds after its warm-up. `answers` counts from its start. */
export async function measured(seconds: number, answers: () => number): Promise<void> {
  await wait(WARM_UP * 1_000);
  const before = { cpu: process.cpuUsage(), answers: answers(), at: performance.now() };
  await wait(seconds * 1_000);
  const { user, system } = process.cpuUsage(before.cpu);
  const count = answers() - before.answers;
  const rate = (count * 1_000) / (performance.now() - before.at);
  console.log(JSON.stringify({ answers: count, rate, microseconds: (user + system) / count }));
}
