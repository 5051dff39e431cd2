import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../src/domain/failure.ts';
import type { TaskSpec } from '../plane/types.ts';
import { serveApplication } from './serve.ts';
import { newState } from './state.ts';

/**
 * A task as a process. The task's environment arrives as data in SANDBOX_TASK and never becomes this process's own:
 * a NODE_OPTIONS that a team gives its real container would otherwise change or break the demo application.
 */
async function main(): Promise<void> {
  // The parent's end of the channel closes when the parent dies, however it dies: no task outlives its sandbox.
  process.on('disconnect', () => process.exit(0));
  const spec = JSON.parse(process.env['SANDBOX_TASK'] ?? '{}') as TaskSpec;
  const state = newState(spec, Date.now());
  if (state.behaviour.kind === 'crash-at-start') throw new Error('fatal: could not connect to the database');
  const served = await serveApplication(state, {
    now: Date.now,
    sleep: (length) => sleep(length),
    log: (line) => console.log(line),
    exit: (code) => process.exit(code),
  });
  process.once('SIGTERM', () => {
    console.log('SIGTERM: no longer ready, finishing open requests');
    void served.stop().then(() => process.exit(0));
  });
  process.send?.({ port: served.address.port });
}

main().catch((error: unknown) => {
  console.error(messageOf(error));
  process.exit(1);
});
