import { describe, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { controlPlaneProblem, ensureControlPlane } from '../../tools/control-plane.mjs';
import { ensureBuildx, ensureEngine } from '../../tools/engine.mjs';
import { ensureGoTool } from '../../tools/go-tools.mjs';
import { ensureZizmor } from '../../tools/zizmor.mjs';

/** Parts that a machine may lack. Each look says why it is missing, or undefined when it is there. */
const PARTS = {
  /** Python with moto: tools/run.mjs sets it up and says here when it could not. */
  sandbox: () => process.env['SLUICE_NO_PYTHON'],
  /** A container engine and a registry of the tests' own, and the plugin that bookworm's engine comes without. */
  engine: () => problemOf(ensureEngine),
  buildx: () => problemOf(ensureBuildx),
  /** The runner of workflows, and the linters: built or installed here once, so that a machine without them can skip. */
  act: () => problemOf(() => ensureGoTool('act')),
  actionlint: () => problemOf(() => ensureGoTool('actionlint')),
  kustomize: () => problemOf(() => ensureGoTool('kustomize')),
  zizmor: () => problemOf(() => ensureZizmor()),
  /** Minutes to build: only where every part is required is it built on the way. */
  kubernetes: () =>
    process.env['SLUICE_REQUIRE_ALL'] === '1' ? problemOf(() => ensureControlPlane()) : controlPlaneProblem(),
  jq: () => programProblem('jq', ['--version']),
} satisfies Record<string, () => string | undefined>;

export type Part = keyof typeof PARTS;

/**
 * `needs('engine')('pushes by digest', () => { ... })` is a describe that is skipped, with the reason in its title, where
 * the part is missing; with SLUICE_REQUIRE_ALL=1 it fails there instead, so that CI cannot pass by skipping.
 */
export function needs(...parts: readonly Part[]): (name: string, body: () => void) => void {
  const missing = firstMissing(parts);
  if (missing === undefined) return describe;
  const { part, problem } = missing;
  const { skip } = describe;
  if (process.env['SLUICE_REQUIRE_ALL'] !== '1')
    return (name, body) => skip(`${name} [needs ${part}: ${problem}]`, body);
  return (name) =>
    test(name, () => {
      throw new Error(`${part} is required here (SLUICE_REQUIRE_ALL=1) and missing: ${problem}`);
    });
}

function firstMissing(parts: readonly Part[]): { readonly part: Part; readonly problem: string } | undefined {
  for (const part of parts) {
    const problem = PARTS[part]();
    if (problem !== undefined) return { part, problem };
  }
  return undefined;
}

function problemOf(look: () => unknown): string | undefined {
  try {
    look();
    return undefined;
  } catch (problem) {
    return problem instanceof Error ? problem.message : String(problem);
  }
}

function programProblem(program: string, args: readonly string[]): string | undefined {
  const asked = spawnSync(program, args, { encoding: 'utf8', timeout: 20_000 });
  if (asked.error !== undefined) return `${program} is not on PATH`;
  if (asked.status === 0) return undefined;
  return `${program} ${args.join(' ')} ended with ${asked.status}: ${asked.stderr.trim().split('\n').at(-1) ?? ''}`;
}
