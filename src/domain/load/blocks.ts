/** What one side of a load that two releases share answered in one stretch of it. */
export interface Block {
  readonly requests: number;
  readonly errors: number;
  readonly response: Spread;
  readonly service: Spread;
}

/** Times in milliseconds, counted by bucket: `bucketOf` of each. */
export interface Spread {
  readonly sum: number;
  readonly counts: ReadonlyMap<number, number>;
}

/** The same stretch of time on both sides. */
export interface BlockPair {
  readonly own: Block;
  readonly stable: Block;
}

export interface PairedBlocks {
  add(side: 'own' | 'stable', sample: BlockSample, elapsed: number): void;
  /** Of all scenarios, or of one; in the order of time. */
  pairs(scenario?: string): readonly BlockPair[];
}

interface BlockSample {
  readonly scenario: string;
  readonly response: number;
  readonly service: number;
  readonly error: string | undefined;
}

/** Far below any margin that a shared machine could show. */
const WIDTH = Math.log(1.002);
const SHORTEST = 0.001;

export const bucketOf = (milliseconds: number): number =>
  Math.round(Math.log(Math.max(SHORTEST, milliseconds)) / WIDTH);
export const timeOf = (bucket: number): number => Math.exp(bucket * WIDTH);

/** Enough for an interval, and few enough that each holds something. */
const MOST_BLOCKS = 40;
const FIRST_LENGTH = 5;

/**
 * Answers of both sides by stretches of time, which double whenever there are too many of them: 20 to 40 in the end,
 * however long the load is, in memory that does not grow. What happens to the machine meets both sides of a stretch.
 */
export function newPairedBlocks(): PairedBlocks {
  const scenarios = new Map<string, Growing[]>();
  let length = FIRST_LENGTH;
  const widen = (): void => {
    length *= 2;
    for (const [name, blocks] of scenarios) scenarios.set(name, halved(blocks));
  };
  return {
    add(side, sample, elapsed) {
      while (elapsed >= length * MOST_BLOCKS) widen();
      const blocks = scenarios.get(sample.scenario) ?? [];
      scenarios.set(sample.scenario, blocks);
      const index = Math.max(0, Math.floor(elapsed / length));
      while (blocks.length <= index) blocks.push({ own: empty(), stable: empty() });
      const block = blocks[index]?.[side];
      if (block !== undefined) count(block, sample);
    },
    pairs(scenario) {
      const meant = scenario === undefined ? [...scenarios.values()] : [scenarios.get(scenario) ?? []];
      const most = Math.max(0, ...meant.map((blocks) => blocks.length));
      return Array.from({ length: most }, (_, index) => {
        const sum: Growing = { own: empty(), stable: empty() };
        for (const blocks of meant) merge(sum, blocks[index]);
        return sum;
      }).filter(({ own, stable }) => own.requests + stable.requests > 0);
    },
  };
}

interface GrowingSpread extends Spread {
  sum: number;
  readonly counts: Map<number, number>;
}

interface GrowingBlock {
  requests: number;
  errors: number;
  readonly response: GrowingSpread;
  readonly service: GrowingSpread;
}

interface Growing {
  readonly own: GrowingBlock;
  readonly stable: GrowingBlock;
}

const spread = (): GrowingSpread => ({ sum: 0, counts: new Map() });
const empty = (): GrowingBlock => ({ requests: 0, errors: 0, response: spread(), service: spread() });

function count(block: GrowingBlock, { response, service, error }: BlockSample): void {
  block.requests += 1;
  if (error !== undefined) block.errors += 1;
  for (const [times, value] of [
    [block.response, response],
    [block.service, service],
  ] as const) {
    times.sum += value;
    increase(times.counts, bucketOf(value), 1);
  }
}

const increase = (counts: Map<number, number>, bucket: number, by: number): void =>
  void counts.set(bucket, (counts.get(bucket) ?? 0) + by);

function halved(blocks: readonly Growing[]): Growing[] {
  return Array.from({ length: Math.ceil(blocks.length / 2) }, (_, index) => {
    const sum: Growing = { own: empty(), stable: empty() };
    merge(sum, blocks[index * 2]);
    merge(sum, blocks[index * 2 + 1]);
    return sum;
  });
}

function merge(to: Growing, from: BlockPair | undefined): void {
  if (from === undefined) return;
  for (const side of ['own', 'stable'] as const) {
    to[side].requests += from[side].requests;
    to[side].errors += from[side].errors;
    for (const times of ['response', 'service'] as const) {
      to[side][times].sum += from[side][times].sum;
      for (const [bucket, by] of from[side][times].counts) increase(to[side][times].counts, bucket, by);
    }
  }
}
