import type { TaskSpec } from '../plane/types.ts';

/** What the demo image's command `migrate` prints. It ends by the control plane's clock, so nothing runs here. */
export function migrationLines({ command = [], environment }: TaskSpec): readonly string[] {
  const failed = Number(environment['MIGRATE_EXIT_CODE'] ?? 0) !== 0;
  return [
    `running ${command.join(' ')}`,
    'applying 0041_accounts ... done',
    failed ? 'applying 0042_orders ... relation "orders" already exists' : 'applying 0042_orders ... done',
    failed ? 'fatal: migration 0042_orders failed' : 'database is up to date',
  ];
}
