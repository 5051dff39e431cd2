// Holds a cluster of its own until it is killed.
import { startCluster } from '../../../sandbox/kubernetes/cluster.ts';

const { url } = await startCluster();
process.stdout.write(`${url}\n`);
setInterval(() => undefined, 60_000);
