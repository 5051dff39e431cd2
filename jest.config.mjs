// Node 24 runs the sources as they are; jest alone needs the types taken out (swc), and sees the same `.ts` specifiers.
export default {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  modulePathIgnorePatterns: ['<rootDir>/build/', '<rootDir>/dist/', '<rootDir>/.cache/'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2024' }, module: { type: 'es6' } },
    ],
  },
  cacheDirectory: '<rootDir>/.cache/jest',
  // One moto for all suites that need a cloud.
  globalSetup: '<rootDir>/test/harness/lent-moto.ts',
  globalTeardown: '<rootDir>/test/harness/lent-moto-back.ts',
  testTimeout: 30_000,
  reporters: ['default', '<rootDir>/tools/jest-counts.mjs'],
};
