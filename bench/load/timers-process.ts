// What this machine lets a process do at even times when there is nothing else in it: the floor of a generator's lag.
import { setTimeout as wait } from 'node:timers/promises';

const { rate, seconds } = JSON.parse(process.argv[2] ?? '{}') as { readonly rate: number; readonly seconds: number };
const lags: number[] = [];
const start = performance.now();
for (let index = 0; index < rate * seconds; index++) {
  const at = (index * 1_000) / rate;
  for (let early = at - (performance.now() - start); early > 0.01; early = at - (performance.now() - start))
    await wait(early);
  lags.push(performance.now() - start - at);
}
lags.sort((a, b) => a - b);
console.log(JSON.stringify({ lagP99: lags[Math.ceil(lags.length * 0.99) - 1] }));
