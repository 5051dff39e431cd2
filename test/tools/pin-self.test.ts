import { describe, expect, test } from '@jest/globals';
// @ts-expect-error a script without types, tested as the function it exports
import { pinSelf } from '../../tools/pin-self.mjs';

const pin = pinSelf as (yaml: string, as: string) => string;

describe('references to the own repository', () => {
  test.each([
    ['a step', '      - uses: $/actions/deploy-ecs\n', '      - uses: acme/sluice/actions/deploy-ecs@v1\n'],
    ['a key of a step', '        uses: $/actions/x # why\n', '        uses: acme/sluice/actions/x@v1 # why\n'],
    [
      'a called workflow',
      '    uses: $/.github/workflows/deploy.yml\n',
      '    uses: acme/sluice/.github/workflows/deploy.yml@v1\n',
    ],
    ['a quoted one', "    - uses: '$/actions/x'\n", "    - uses: 'acme/sluice/actions/x@v1'\n"],
  ])('%s is pinned', (_name, before, after) => {
    expect(pin(before, 'acme/sluice@v1')).toBe(after);
  });

  test.each([
    ['another action', '      - uses: actions/checkout@0123456789012345678901234567890123456789\n'],
    ['a path in a script', '      - run: echo "uses: $/actions/x"\n'],
    ['a comment', '# uses: $/actions/x\n'],
    ['a local action', '      - uses: ./actions/x\n'],
  ])('%s stays as it is', (_name, text) => {
    expect(pin(text, 'acme/sluice@v1')).toBe(text);
  });
});
