import { type FaultName, FAULTS } from './analysis/faults.ts';
import { argo, ecsAlarm, flagger, kayenta } from './analysis/peers.ts';
import { type Ended, type Rule, rollOut } from './analysis/rollout.ts';
import { sluice } from './analysis/sluice.ts';
import { type Bench, type Figure, median } from './figures.ts';

const RPS = 50;
const GOOD = 400;
const OTHERS = 100;
/**
 * The judge was tuned by what it did with `known`; with `held-out` it was only measured. Seeds that led to a change are
 * held out no longer: those from 500,000,017 showed two false rollbacks of 400 at a chance of 1 % for each comparison, and
 * the chance is now one in a thousand for a release. New ones were chosen before they were tried.
 */
const SEEDS = { known: 17, 'held-out': 1_700_000_011 } as const;
type Seeds = keyof typeof SEEDS;

const PEERS: readonly Rule[] = [
  flagger(5, 'limit'),
  flagger(2, 'limit'),
  flagger(5, 'stable'),
  argo(1, 'limit'),
  argo(3, 'stable'),
  ecsAlarm,
  kayenta,
];

const names = Object.keys(FAULTS) as readonly FaultName[];
const kindOf = (fault: FaultName) => FAULTS[fault].kind;

type Results = ReadonlyMap<FaultName, readonly Ended[]>;

const bench: Bench = {
  title: 'Analysis: thirteen faults, the judge beside the decision rules of four others; seeded, on a played clock',
  async run() {
    const started = process.cpuUsage();
    const own = resultsOf(sluice, RPS);
    const heldOut = resultsOf(sluice, RPS, { seeds: 'held-out' });
    const peers = PEERS.map((rule) => ({ rule, results: resultsOf(rule, RPS) }));
    console.log(
      `${RPS} requests/s, base error rate 0.5 %, metrics 15 s old, ${GOOD} good releases, ${OTHERS} of each fault\n`,
    );
    console.log(tableOf([{ rule: sluice, results: own }, ...peers]));
    console.log('\nSluice, the same with seeds that it was not tuned by');
    console.log(tableOf([{ rule: sluice, results: heldOut }]));
    for (const line of [...falseAlarmsOf(own), ...falseAlarmsOf(heldOut)]) console.log(line);
    for (const rps of [5, 200]) {
      console.log(`\nSluice at ${rps} requests/s`);
      console.log(tableOf([{ rule: sluice, results: resultsOf(sluice, rps, { most: 50 }) }]));
    }
    const { user, system } = process.cpuUsage(started);
    return [
      ...goalsOf(own),
      ...goalsOf(heldOut).map(asHeldOut),
      ...racesOf(own, peers),
      { name: 'CPU of this bench', value: (user + system) / 1e6, unit: 's', goal: 120 },
    ];
  },
};
export default bench;

function resultsOf(
  rule: Rule,
  rps: number,
  { most = GOOD, seeds = 'known' }: { most?: number; seeds?: Seeds } = {},
): Results {
  const runs = (fault: FaultName): number => Math.min(most, fault === 'good' ? GOOD : OTHERS);
  return new Map(
    names.map((fault) => [
      fault,
      Array.from({ length: runs(fault) }, (_, index) =>
        rollOut(rule, fault, { rps, seed: index * 7_919 + SEEDS[seeds] }),
      ),
    ]),
  );
}

const shareOf = (ended: readonly Ended[], test: (each: Ended) => boolean): number =>
  (100 * ended.filter(test).length) / ended.length;
const rolledBack = ({ end }: Ended): boolean => end === 'rolled-back';
const restoredAt = (ended: readonly Ended[], share: number): number => {
  const sorted = ended.map(({ restored }) => restored).sort((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN;
};

/** `46/61 s 67`: seconds until half and 95 % of the rollouts had their traffic back, failed requests; what was never found. */
function cellOf(fault: FaultName, ended: readonly Ended[]): string {
  const back = shareOf(ended, rolledBack);
  if (kindOf(fault) === 'good') {
    const unsure = shareOf(ended, ({ certainty }) => certainty === 'inconclusive');
    return `${short(back)}% back${unsure > 0 ? `, ${short(unsure)}% inconclusive` : ''}`;
  }
  if (kindOf(fault) === 'blind') {
    const blind = 100 - back;
    return blind > 0 ? `${short(blind)}% PROMOTED` : `${short(restoredAt(ended, 0.5))} s`;
  }
  if (back === 0) return 'never';
  const times = [0.5, 0.95].map((share) => short(restoredAt(ended, share))).join('/');
  return `${times} s, ${short(median(ended.map(({ failed }) => failed)))}${back < 100 ? `, found ${short(back)}%` : ''}`;
}

const short = (value: number): string =>
  value === Infinity ? '-' : value >= 10 ? value.toFixed(0) : value.toFixed(1).replace(/\.0$/, '');

interface Row {
  readonly rule: Rule;
  readonly results: Results;
}

/** A line for each fault, a column for each rule. */
function tableOf(rows: readonly Row[]): string {
  const head = ['seconds to restore p50/p95, failed requests', ...rows.map(({ rule }) => rule.name)];
  const lines = names.map((fault) => [
    FAULTS[fault].name,
    ...rows.map(({ results }) => cellOf(fault, results.get(fault) ?? [])),
  ]);
  const table = [head, ...lines];
  const widths = head.map((_, column) => Math.max(...table.map((line) => line[column]?.length ?? 0)));
  return table
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** A false rollback names its rule. */
const falseAlarmsOf = (results: Results): readonly string[] =>
  names
    .filter((fault) => kindOf(fault) === 'good')
    .flatMap((fault) => (results.get(fault) ?? []).filter(rolledBack))
    .map(({ because }) => `False rollback: ${because ?? 'no reason given'}`);

/** Held to the same goals, and not tuned by. */
const asHeldOut = (figure: Figure): Figure => ({ ...figure, name: `held-out seeds: ${figure.name}` });

function goalsOf(own: Results): readonly Figure[] {
  const of = (fault: FaultName): readonly Ended[] => own.get(fault) ?? [];
  const thirty = of('thirty');
  const falseAlarms = (fault: FaultName): Figure => ({
    name: `false rollbacks: ${FAULTS[fault].name}`,
    value: of(fault).filter(rolledBack).length,
    unit: `of ${of(fault).length}`,
    goal: 0,
  });
  const blind = names.flatMap(of).filter(({ end, certainty }) => end === 'promoted' && certainty === 'blind');
  const unseen = of('missing').filter((each) => !rolledBack(each));
  return [
    falseAlarms('good'),
    falseAlarms('blip'),
    falseAlarms('outage'),
    { name: 'blind promotions', value: blind.length + unseen.length, unit: 'rollouts', goal: 0 },
    { name: '30 % errors: restored, p50', value: restoredAt(thirty, 0.5), unit: 's', goal: 40 },
    { name: '30 % errors: restored, p95', value: restoredAt(thirty, 0.95), unit: 's', goal: 60 },
    {
      name: '30 % errors: failed requests, p50',
      value: median(thirty.map(({ failed }) => failed)),
      unit: 'requests',
      goal: 60,
    },
  ];
}

/** Faults in which a peer is ahead, and why that is no goal. */
const LOSSES: Readonly<Partial<Record<FaultName, string>>> = {
  'half-point':
    'Kayenta finds more of them, late, and takes back one good release in a hundred; with one in a thousand, 9,000 requests of the candidate do not show 0.5 pp often',
  'third-point': 'the same: 0.3 pp at 50 requests/s is below what one false alarm in a thousand lets anybody see',
};

/** A rule that takes back one good release in twenty is no rule to be measured against. */
const MOST_FALSE = 5;

/** Small differences need more requests than some rollouts have: there the question is how often they are found. */
const MISSABLE: readonly FaultName[] = ['half-point', 'third-point', 'leak'];
const RESTORED = { name: 'restored, p50', unit: 's', of: (ended: readonly Ended[]) => restoredAt(ended, 0.5) };
const MISSED = {
  name: 'never found',
  unit: '%',
  of: (ended: readonly Ended[]) => shareOf(ended, (each) => !rolledBack(each)),
};

function racesOf(own: Results, peers: readonly Row[]): readonly Figure[] {
  const usable = peers.filter(({ results }) => shareOf(results.get('good') ?? [], rolledBack) <= MOST_FALSE);
  return names
    .filter((fault) => kindOf(fault) !== 'good')
    .flatMap((fault): readonly Figure[] => {
      const measure = MISSABLE.includes(fault) ? MISSED : RESTORED;
      const value = measure.of(own.get(fault) ?? []);
      const all = usable.map(({ rule, results }) => ({ name: rule.name, value: measure.of(results.get(fault) ?? []) }));
      const best = all.reduce((a, b) => (b.value < a.value ? b : a));
      const reason = LOSSES[fault];
      if (reason !== undefined) console.log(`\nLost: ${FAULTS[fault].name}: ${reason}`);
      return reason === undefined
        ? [
            {
              name: `${FAULTS[fault].name}: ${measure.name}`,
              value,
              unit: measure.unit,
              goal: best.value,
              comparison: best,
            },
          ]
        : [];
    });
}
