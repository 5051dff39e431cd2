/** Starts moto, says where, and waits to be killed. */
import { startMoto } from '../../../sandbox/moto/process.ts';

const { port } = await startMoto(() => undefined);
process.stdout.write(`${port}\n`);
setInterval(() => undefined, 60_000);
