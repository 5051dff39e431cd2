import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DEFINITION_SHAPES, REGISTER_SHAPE } from '../../src/domain/ecs/definition-shapes.ts';
import { SHAPES_FILE, shapesFile } from '../../tools/ecs-shapes.ts';

const ROOT = join(import.meta.dirname, '../..');

test('the field table is what the SDK in the lockfile says; after an update: node tools/ecs-shapes.ts', async () => {
  expect(readFileSync(join(ROOT, SHAPES_FILE), 'utf8')).toBe(await shapesFile());
});

test('a revision is registered from 18 members; a new one needs a look at what ECS fills in for it', () => {
  expect(Object.keys(DEFINITION_SHAPES[REGISTER_SHAPE] ?? {}).toSorted()).toEqual([
    'containerDefinitions',
    'cpu',
    'enableFaultInjection',
    'ephemeralStorage',
    'executionRoleArn',
    'family',
    'inferenceAccelerators',
    'ipcMode',
    'memory',
    'networkMode',
    'pidMode',
    'placementConstraints',
    'proxyConfiguration',
    'requiresCompatibilities',
    'runtimePlatform',
    'tags',
    'taskRoleArn',
    'volumes',
  ]);
});
