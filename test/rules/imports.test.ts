import { describe, expect, test } from '@jest/globals';
import { join } from 'node:path';
import { importProblem, importRings, importsOf, readImports } from './imports.ts';
import { ROOT, sourceFiles } from './tracked.ts';

const all = sourceFiles()
  .filter((path) => /^(src|actions|sandbox)\/.*\.ts$/.test(path))
  .flatMap((path) => readImports(ROOT, join(ROOT, path)));

describe('who imports whom', () => {
  test('the scan sees the whole of src', () => {
    expect(all.filter(({ from }) => from.startsWith('src/')).length).toBeGreaterThan(20);
  });

  test('every import goes in the direction of the house', () => {
    const problems = all
      .map((each) => [each, importProblem(each)] as const)
      .filter(([, problem]) => problem !== undefined);
    expect(problems.map(([{ from, line }, problem]) => `${from}:${line} ${problem}`)).toEqual([]);
  });

  test('no ring of imports', () => {
    expect(importRings(all)).toEqual([]);
  });
});

describe('each rule finds what it forbids', () => {
  test.each([
    [
      'domain and a library',
      'src/domain/a.ts',
      "import { parse } from 'yaml';",
      'domain may not import the package yaml',
    ],
    [
      'domain and a module of Node',
      'src/domain/a.ts',
      "import { readFileSync } from 'node:fs';",
      'domain imports no module of Node',
    ],
    [
      'domain and a port, also by type',
      'src/domain/a.ts',
      "import type { Clock } from '../ports/clock.ts';",
      'domain may not import ports',
    ],
    [
      'ports and an adapter',
      'src/ports/a.ts',
      "import { ecs } from '../adapters/aws/ecs.ts';",
      'ports may not import adapters',
    ],
    [
      'engine and an adapter',
      'src/engine/a.ts',
      "import { ecs } from '../adapters/aws/ecs.ts';",
      'engine may not import adapters',
    ],
    [
      'engine and the runtime',
      'src/engine/a.ts',
      "import type { ActionTools } from '../runtime/action.ts';",
      'engine may not import runtime',
    ],
    [
      'adapters and the engine',
      'src/adapters/aws/a.ts',
      "import { until } from '../../engine/until.ts';",
      'adapters may not import engine',
    ],
    [
      'an adapter and a router',
      'src/adapters/metrics/a.ts',
      "import { alb } from '../traffic/alb.ts';",
      'adapters of metrics may not import adapters of traffic',
    ],
    [
      'runtime and an SDK',
      'src/runtime/a.ts',
      "import { STSClient } from '@aws-sdk/client-sts';",
      'runtime may not import the package @aws-sdk/client-sts',
    ],
    [
      'runtime and the whole toolkit',
      'src/runtime/a.ts',
      "await import('@actions/core');",
      'only src/runtime/core.ts imports @actions/core: the whole of it costs 30 ms at every start',
    ],
    [
      'runtime and an adapter',
      'src/runtime/a.ts',
      "export { ecs } from '../adapters/aws/ecs.ts';",
      'runtime may not import adapters of aws',
    ],
    [
      'src and an action',
      'src/engine/a.ts',
      "import { spec } from '../../actions/deploy-ecs/src/inputs.ts';",
      'engine may not import action-pure',
    ],
    [
      'src and a test',
      'src/engine/a.ts',
      "import { fakeClock } from '../../test/fakes/clock.ts';",
      'engine may not import test/fakes/clock.ts',
    ],
    [
      'decide and the engine',
      'actions/a/src/decide.ts',
      "import { until } from '../../../src/engine/until.ts';",
      'action-pure may not import engine',
    ],
    [
      'report and a port',
      'actions/a/src/report.ts',
      "import type { Log } from '../../../src/ports/log.ts';",
      'action-pure may not import ports',
    ],
    [
      'a further pure file and execute',
      'actions/a/src/steps.ts',
      "import { execute } from './execute.ts';",
      'action-pure may not import action-execute',
    ],
    [
      'execute and the runtime',
      'actions/a/src/execute.ts',
      "import type { ActionTools } from '../../../src/runtime/action.ts';",
      'action-execute may not import runtime',
    ],
    [
      'execute and an adapter by import()',
      'actions/a/src/execute.ts',
      "await import('../../../src/adapters/aws/ecs.ts');",
      'action-execute may not import adapters',
    ],
    [
      'main and a static adapter',
      'actions/a/src/main.ts',
      "import { ecs } from '../../../src/adapters/aws/ecs.ts';",
      'main loads adapters by import(), so that bad input is answered before any SDK is loaded',
    ],
    [
      'a room of main and a static adapter',
      'actions/a/src/main/open.ts',
      "import { ecs } from '../../../../src/adapters/aws/ecs.ts';",
      'main loads adapters by import(), so that bad input is answered before any SDK is loaded',
    ],
    [
      'a room of execute and a room of main',
      'actions/a/src/execute/act.ts',
      "import { open } from '../main/open.ts';",
      'action-execute may not import action-main',
    ],
    [
      'an action and another',
      'actions/a/src/execute.ts',
      "import { decide } from '../../b/src/decide.ts';",
      'no action imports another',
    ],
    [
      'run and a static action',
      'actions/run.ts',
      "import { main } from './a/src/main.ts';",
      'run loads actions by import(), so that one start loads one action',
    ],
    [
      'run and an adapter',
      'actions/run.ts',
      "await import('../src/adapters/aws/ecs.ts');",
      'run may not import adapters',
    ],
    [
      'the sandbox and an action',
      'sandbox/front.ts',
      "import { spec } from '../actions/a/src/inputs.ts';",
      'the sandbox may not import actions',
    ],
  ])('%s', (_, from, source, problem) => {
    expect(importsOf(from, source).map(importProblem)).toEqual([problem]);
  });

  test.each([
    ['domain and domain', 'src/domain/shift/a.ts', "import { seconds } from '../duration.ts';"],
    ['engine and a port', 'src/engine/a.ts', "import type { Clock } from '../ports/clock.ts';"],
    ['an adapter and a client', 'src/adapters/traffic/a.ts', "import { client } from '../aws/clients.ts';"],
    ['an adapter and its SDK', 'src/adapters/aws/a.ts', "import { ECSClient } from '@aws-sdk/client-ecs';"],
    ['runtime and its share of the toolkit', 'src/runtime/core.ts', "export { setOutput } from '@actions/core';"],
    [
      'runtime and the clock of this machine',
      'src/runtime/a.ts',
      "import { systemClock } from '../adapters/system/clock.ts';",
    ],
    ['main and an adapter by import()', 'actions/a/src/main.ts', "await import('../../../src/adapters/aws/ecs.ts');"],
    [
      'main and the type of an adapter',
      'actions/a/src/main.ts',
      "import { type Client } from '../../../src/adapters/aws/clients.ts';",
    ],
    ['main and its own rooms', 'actions/a/src/main.ts', "import { open } from './main/open.ts';"],
    ['main and its own execute', 'actions/a/src/main.ts', "import { execute } from './execute.ts';"],
    ['execute and its own decide', 'actions/a/src/execute.ts', "import { decide } from './decide.ts';"],
    ['tests and anything', 'test/a.test.ts', "import { spec } from '../actions/a/src/inputs.ts';"],
  ])('and lets pass: %s', (_, from, source) => {
    expect(importsOf(from, source).map(importProblem)).toEqual([undefined]);
  });

  test('a ring is named in order', () => {
    const imports = [
      ...importsOf('src/domain/a.ts', "import { b } from './b.ts';"),
      ...importsOf('src/domain/b.ts', "import { a } from './a.ts';"),
    ];
    expect(importRings(imports)).toEqual(['src/domain/a.ts -> src/domain/b.ts -> src/domain/a.ts']);
  });

  test('a ring of types alone is none', () => {
    const imports = [
      ...importsOf('src/domain/a.ts', "import type { B } from './b.ts';"),
      ...importsOf('src/domain/b.ts', "import { a } from './a.ts';"),
    ];
    expect(importRings(imports)).toEqual([]);
  });
});
