import type { Check, ChecksDocument } from './document.ts';

/** Whatever a document asks for: its checks, the steps of its flows, and what its loads ask for by themselves. */
export function everyCheck({ checks, flows, loads }: ChecksDocument): readonly Check[] {
  const steps = flows.flatMap((flow) => flow.steps.flatMap((step) => (step.kind === 'request' ? [step.check] : [])));
  const loaded = loads.flatMap(({ scenarios }) =>
    scenarios.flatMap((scenario) => (scenario.kind === 'check' ? [scenario.check] : [])),
  );
  return [...new Set([...checks, ...steps, ...loaded])];
}
