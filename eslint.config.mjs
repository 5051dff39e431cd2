// The part of the house style that a machine can read. Who may import whom is test/rules/imports.test.ts.
import eslint from '@eslint/js';
import tseslint from 'typescript-eslint';
import { ownLines } from './tools/lint/own-lines.mjs';

const NAMED_FOR_NOTHING = [
  'util',
  'utils',
  'helper',
  'helpers',
  'misc',
  'common',
  'stuff',
  'foo',
  'bar',
  'obj',
  'arr',
  'cb',
];

const swallowedZero = {
  selector: "LogicalExpression[operator='||'] > CallExpression.left[callee.name=/^(parseInt|parseFloat|Number)$/]",
  message: 'This turns 0 and typos into the default: parse, then look at the result.',
};
const booleanParameter = {
  selector: ':function > Identifier.params > TSTypeAnnotation > TSBooleanKeyword',
  message: "A bare true at the call says nothing: take a word ('until-stable' | 'none') or a named option.",
};
const clocklessDate = {
  selector: "NewExpression[callee.name='Date'][arguments.length=0]",
  message: 'Time comes from the Clock port.',
};
// Inside the test itself: a scenario in a table, or a fake that answers by the request, may branch.
const branchInTest = {
  selector:
    "CallExpression:matches([callee.name='test'], [callee.callee.property.name='each']) > :function.arguments > BlockStatement > IfStatement",
  message: 'A test that branches can pass without asserting: write two tests, or a table.',
};
const moduleMock = {
  selector: "CallExpression[callee.object.name='jest'][callee.property.name=/[mM]ock(Module)?$/]",
  message: 'Fake the port, not the module; adapters are tested over the wire.',
};

/** Time, chance, environment and output are injected everywhere but at the edge. */
const edgeOnly = {
  'no-restricted-globals': [
    'error',
    ...['setTimeout', 'setInterval', 'setImmediate', 'performance'].map((name) => ({
      name,
      message: 'Waits and time go through the Clock port.',
    })),
    { name: 'console', message: 'Words go through the Log port.' },
  ],
  'no-restricted-properties': [
    'error',
    {
      object: 'process',
      property: 'env',
      message: 'The environment is read at the edge (src/runtime, src/adapters/system).',
    },
    { object: 'Date', property: 'now', message: 'Time comes from the Clock port.' },
    { object: 'Math', property: 'random', message: 'Chance is injected.' },
  ],
  'no-restricted-imports': [
    'error',
    {
      paths: [
        ...['node:timers', 'node:timers/promises', 'timers', 'timers/promises'].map((name) => ({
          name,
          message: 'Waits go through the Clock port.',
        })),
        { name: 'node:process', message: 'The environment is read at the edge (src/runtime, src/adapters/system).' },
      ],
    },
  ],
};

export default tseslint.config(
  { ignores: ['dist/', 'actions/*/dist/', 'build/', 'coverage/', '.cache/', 'node_modules/', 'out/'] },
  eslint.configs.recommended,
  ...tseslint.configs.recommended,
  {
    plugins: { sluice: { rules: { 'own-lines': ownLines } } },
    rules: {
      'max-lines': ['error', { max: 350 }],
      'sluice/own-lines': ['error', { max: 60 }],
      'max-params': ['error', { max: 4 }],
      'id-denylist': ['error', ...NAMED_FOR_NOTHING],
      eqeqeq: 'error',
      'no-console': 'off',
      'no-restricted-syntax': ['error', swallowedZero],
      // tsc reports these, and knows the types.
      'no-undef': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
    },
  },
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }],
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/only-throw-error': 'error',
    },
  },
  {
    files: ['src/**/*.ts', 'actions/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', swallowedZero, booleanParameter, clocklessDate] },
  },
  {
    files: ['src/**/*.ts', 'actions/**/*.ts'],
    ignores: ['src/runtime/**', 'src/adapters/system/**'],
    rules: edgeOnly,
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      // A describe block is a list with tables in it, and a table's columns are the parameters of its test.
      'sluice/own-lines': 'off',
      'max-params': 'off',
      'max-lines': ['error', { max: 350, skipBlankLines: true, skipComments: true }],
      'no-restricted-syntax': ['error', swallowedZero, branchInTest, moduleMock],
      'no-restricted-properties': [
        'error',
        ...['test', 'it', 'describe'].flatMap((object) =>
          ['only', 'skip', 'todo'].map((property) => ({
            object,
            property,
            message: 'Every test runs; what needs a missing part uses test/harness/needs.ts.',
          })),
        ),
      ],
    },
  },
  // The one place that may skip a suite, because it says why.
  { files: ['test/harness/needs.ts'], rules: { 'no-restricted-properties': 'off' } },
);
