// `npm run bench -- NAME`: prints every figure beside its goal and its comparison; exit code 0 only when every goal holds.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Bench, figureTable, holds } from './figures.ts';

const ENDING = '.bench.ts';
const names = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith(ENDING))
  .map((file) => file.slice(0, -ENDING.length));

const load = async (name: string): Promise<Bench> =>
  ((await import(join(import.meta.dirname, `${name}${ENDING}`))) as { readonly default: Bench }).default;

async function main(wanted: string | undefined): Promise<number> {
  if (wanted === undefined || !names.includes(wanted)) {
    const lines = await Promise.all(names.map(async (name) => `  ${name.padEnd(10)} ${(await load(name)).title}`));
    console.error(`Usage: npm run bench -- NAME\n${lines.join('\n')}`);
    return 2;
  }
  const bench = await load(wanted);
  console.log(`${bench.title}\nNode ${process.version}, ${process.platform}-${process.arch}\n`);
  const figures = await bench.run();
  console.log(figureTable(figures));
  const missed = figures.filter((figure) => !holds(figure));
  console.log(missed.length === 0 ? '\nEvery goal holds.' : `\nMissed: ${missed.map(({ name }) => name).join(', ')}`);
  return missed.length === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv[2]);
