// A parent to be killed: prints where its two tasks listen and waits.
import { processTaskRunner } from '../../../sandbox/plane/task-runner-processes.ts';

const runner = processTaskRunner();
const release = { image: 'wesign/charts:1.4.0', tag: '1.4.0', digest: 'sha256:00', environment: {}, containerPort: 80 };
const addresses = await Promise.all(['a', 'b'].map((id) => runner.start({ id, ...release }, () => undefined)));
console.log(JSON.stringify(addresses.map(({ host, port }) => `http://${host}:${port}/`)));
