import { run } from '../../../dist/index.js';
await run('blue-green', 'post');
