import { expect, test } from '@jest/globals';
import { needs } from '../harness/needs.ts';

// Runs as it is, and is run again by needs.test.ts as on a machine without Python.
needs('sandbox')('a suite with a need', () => {
  test('runs where the part is there', () => {
    expect(process.env['SLUICE_NO_PYTHON']).toBeUndefined();
  });
});
