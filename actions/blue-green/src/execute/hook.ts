import { leaseFrom, type ShiftRecord } from '../../../../src/domain/shift/record.ts';
import type { HookMoment, HooksDone } from '../../../../src/domain/shift/hooks.ts';
import { runHook } from '../../../../src/engine/shift/run-hooks.ts';
import { type Fenced, beating } from './beat.ts';
import type { Move } from '../decide/moves.ts';

/** Runs one command. That it begins is recorded before, and that it has ended after: whoever comes next knows both. */
export async function hook(
  { moment, index }: Extract<Move, { kind: 'hook' }>,
  acting: Fenced,
  signal: AbortSignal,
): Promise<void> {
  const { ports, release, memory } = acting;
  const { record } = memory;
  const given = release.goal.hooks[moment][index];
  if (record === undefined || given === undefined) throw new TypeError('a command that runs is one of the list');
  // It has run, and only the note of it failed.
  if (memory.hookedUpTo[moment] > index) return note(record, { ended: index + 1, next: 'waiting' }, acting, signal);
  const before = record.hooks.next === 'begun' ? 'interrupted' : 'nothing';
  await note(record, { ended: index, next: 'begun' }, acting, signal);
  const tools = {
    programs: ports.programs,
    clock: ports.clock,
    log: ports.log,
    env: environmentOf(record, moment),
    databases: release.databases,
  };
  const result = await beating(acting, signal, (inner) => runHook({ hook: given, before }, tools, inner));
  signal.throwIfAborted();
  memory.hooked.push(result);
  memory.hookedUpTo = { ...memory.hookedUpTo, [moment]: index + 1 };
  await note(memory.record ?? record, { ended: index + 1, next: 'waiting' }, acting, signal);
}

async function note(record: ShiftRecord, hooks: HooksDone, acting: Fenced, signal: AbortSignal): Promise<void> {
  const { ports, memory, fence } = acting;
  const next = { ...record, hooks, leaseUntil: leaseFrom(ports.clock.now()) };
  await fence(signal);
  await ports.journal.write(next, signal);
  memory.record = next;
}

function environmentOf(record: ShiftRecord, moment: HookMoment): Readonly<Record<string, string>> {
  const { stable, candidate } = record;
  const [live, old] = moment === 'after-promote' ? [candidate, stable] : [stable, candidate];
  return {
    SLUICE_OUTCOME: moment === 'after-promote' ? 'promoted' : 'rolled-back',
    SLUICE_SHIFT_ID: record.id,
    SLUICE_LIVE_COLOR: live,
    SLUICE_OLD_COLOR: old,
    SLUICE_REASON: record.reason,
  };
}
