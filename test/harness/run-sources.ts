/** Runs an action from its sources, as its stub in actions/<name>/dist does from the bundle. */
import { run } from '../../actions/run.ts';

const [action, phase] = process.argv.slice(2);
if (action === undefined || (phase !== 'main' && phase !== 'post')) throw new TypeError('run-sources ACTION main|post');
await run(action, phase);
