import type { Failure } from '../../../../src/domain/failure.ts';
import { groupsFault, groupsWords, overIfReplaced } from '../../../../src/domain/shift/groups.ts';
import type { ShiftRecord } from '../../../../src/domain/shift/record.ts';
import type { Acting } from './acting.ts';

type Finding = Pick<Acting, 'ports' | 'memory' | 'release'>;

const replaced = (record: ShiftRecord | undefined, { ports }: Finding): ShiftRecord | undefined =>
  overIfReplaced(record, groupsWords(ports.targets), ports.clock.now());

/** A record as decide is to take it. What is to be ended or given back is taken as it was written. */
export function asFound(read: ShiftRecord | undefined, finding: Finding): ShiftRecord | undefined {
  const { memory, release } = finding;
  const { mode } = release.goal;
  return memory.engaged === 'yes' || mode === 'finish' || mode === 'settle' ? read : replaced(read, finding);
}

/** Before anything is written; this process itself cannot change the groups. What is only given back stands in none. */
export function faultOfGroups(record: ShiftRecord | undefined, finding: Finding): Failure | undefined {
  const { memory, release, ports } = finding;
  if (memory.engaged === 'yes') return undefined;
  if (release.goal.mode === 'settle' && replaced(record, finding) !== record) return undefined;
  return groupsFault(record, groupsWords(ports.targets));
}
