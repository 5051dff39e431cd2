import { redact, oneLine } from '../../domain/checks/shown-text.ts';
import { formatInstant } from '../../domain/duration.ts';
import { type LoadEvidence, judgeLoad } from '../../domain/load/judge-load.ts';
import type { ResolvedLoad } from '../../domain/load/load.ts';
import type { Measured } from '../../domain/load/measured.ts';
import type { LoadPart, LoadParts, LoadResult } from '../../domain/load/result.ts';
import type { Recorder } from './recorder.ts';
import { measuredOf } from './recorder.ts';
import type { LoadRun } from './run-load.ts';

/** Judges a run and gives the form in which it is reported and kept. `baseline` is a load of an earlier result file. */
export function finishLoad(
  load: ResolvedLoad,
  run: LoadRun,
  { baseline, secrets }: { readonly baseline?: LoadParts; readonly secrets: readonly string[] },
): LoadResult {
  const own = partsOf(run.recorder, run);
  const stable = run.stable === undefined ? undefined : partsOf(run.stable, run);
  const against = stable ?? baseline;
  const evidence: LoadEvidence = {
    ...measuredParts(own),
    ...(against === undefined ? {} : { stable: measuredParts(against) }),
    ...(run.blocks === undefined ? {} : { blocks: run.blocks }),
    generator: run.generator,
    model: load.model,
  };
  const { verdict, rules, invalid } = judgeLoad(load.rules, evidence);
  return {
    name: load.name,
    verdict,
    rules: rules.map(({ rule, outcome, words }) => ({
      rule: rule.text,
      level: rule.level,
      ...(rule.scenario === undefined ? {} : { scenario: rule.scenario }),
      outcome,
      words,
    })),
    invalid,
    ...own,
    ...(stable === undefined ? {} : { stable }),
    reasons: run.recorder.reasons.map(([reason, count]) => ({ reason: oneLine(redact(reason, secrets), 300), count })),
    versions: Object.fromEntries(run.recorder.versions),
    generator: { ...run.generator, lag: run.lag.encode() },
    slices: run.recorder.slices(),
    startedAt: formatInstant(run.started),
    finishedAt: formatInstant(run.ended),
    seconds: Number((run.length / 1_000).toFixed(3)),
  };
}

function partsOf(recorder: Recorder, { length }: LoadRun): LoadParts {
  const part = (name: string, of: Recorder['all']): LoadPart => ({
    name,
    ...measuredOf(of, length),
    histograms: { response: of.response.encode(), service: of.service.encode() },
  });
  return { all: part('all', recorder.all), scenarios: [...recorder.scenarios].map(([name, of]) => part(name, of)) };
}

const measuredParts = ({ all, scenarios }: LoadParts): { all: Measured; scenarios: ReadonlyMap<string, Measured> } => ({
  all,
  scenarios: new Map(scenarios.map((part) => [part.name, part])),
});
