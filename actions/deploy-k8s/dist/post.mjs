import { run } from '../../../dist/index.js';
await run('deploy-k8s', 'post');
