import { describe, expect, test } from '@jest/globals';
import { hours, minutes, seconds } from '../../src/domain/duration.ts';
import {
  type InputField,
  InvalidInput,
  count,
  describeProblem,
  duration,
  flag,
  httpUrl,
  list,
  listMatching,
  matching,
  nearestOf,
  oneOf,
  printable,
  secret,
  structure,
  text,
} from '../../src/domain/inputs.ts';
import { awsInputs, stageInputs } from '../../src/domain/stage-inputs.ts';

const description = 'Something.';
const wait = duration({ description, fallback: '5m', min: seconds(10), max: hours(1) });
const retries = count({ description, fallback: '0', min: 0, max: 10 });
const mode = oneOf(['run', 'prepare'], { description, fallback: 'run' });
const id = matching({ description, shape: /[a-z]\d+/, accepts: 'an id', accepted: 'a letter and digits' });
const ids = listMatching({ description, shape: /\d{2}/, accepts: 'ids', accepted: 'two digits' });

describe('a field accepts', () => {
  test.each<[string, InputField<unknown>, unknown, unknown]>([
    ['text as it is', text({ description }), 'web 1', 'web 1'],
    ['a secret as it is', secret({ description }), 's3cret', 's3cret'],
    ['one of its words', mode, 'prepare', 'prepare'],
    ['true', flag({ description }), 'true', true],
    ['false', flag({ description }), 'false', false],
    ['a duration with units', wait, '1m30s', seconds(90)],
    ['the shortest duration', wait, '10s', seconds(10)],
    ['the longest duration', wait, '1h', minutes(60)],
    ['zero, which is not absent', retries, '0', 0],
    ['the highest number', retries, '10', 10],
    ['a list on lines', list({ description }), 'a\n b \n\nc', ['a', 'b', 'c']],
    ['a list with commas', list({ description }), 'a, b,c,', ['a', 'b', 'c']],
    ['a YAML list', list({ description }), ['a', ' b'], ['a', 'b']],
    ['a URL, without its last slash', httpUrl({ description }), 'https://web.example/app/', 'https://web.example/app'],
    ['text of its shape', id, 'a12', 'a12'],
    ['a list of its shape', ids, '12\n34', ['12', '34']],
    ['a structure', structure({ description }, 'a map', (value) => ({ ok: true, value })), { a: 1 }, { a: 1 }],
  ])('%s', (_name, field, given, expected) => {
    expect(field.read(given)).toEqual({ ok: true, value: expected });
  });
});

describe('a field refuses', () => {
  test.each<[string, InputField<unknown>, unknown, string]>([
    ['a word beside its words', mode, 'Run', 'is not one of the accepted values'],
    ['yes for true', flag({ description }), 'yes', 'is neither true nor false'],
    ['True for true', flag({ description }), 'True', 'is neither true nor false'],
    ['1 for true', flag({ description }), '1', 'is neither true nor false'],
    ['nothing for false', flag({ description }), '', 'is neither true nor false'],
    ['a duration without a unit', wait, '90', 'is not a duration'],
    ['a duration below the shortest', wait, '9s', 'is shorter than 10s'],
    ['a duration beyond the longest', wait, '61m', 'is longer than 1h'],
    ['a number below the lowest', retries, '-1', 'is not a whole number in the range'],
    ['a number beyond the highest', retries, '11', 'is not a whole number in the range'],
    ['a broken number', retries, '1.5', 'is not a whole number in the range'],
    ['a number in words', retries, '3 times', 'is not a whole number in the range'],
    ['an exponent', retries, '1e1', 'is not a whole number in the range'],
    ['nothing for zero', retries, '', 'is not a whole number in the range'],
    ['a URL with credentials', httpUrl({ description }), 'https://a:b@web.example', 'has credentials in it'],
    ['a URL of another kind', httpUrl({ description }), 'ftp://web.example', 'is not a base URL'],
    ['a host for a URL', httpUrl({ description }), 'web.example', 'is not a base URL'],
    ['text that has its shape only inside', id, 'xa12', 'is not an id'],
    ['text that goes on after its shape', id, 'a12\n', 'is not an id'],
    ['a list with one wrong entry', ids, '12, 345', 'has the entry "345"'],
    ['a list of nothing', ids, ' , ', 'has no entry'],
  ])('%s', (_name, field, given, problem) => {
    expect(field.read(given)).toMatchObject({ ok: false, problem });
  });

  test.each([
    ['credentials', 'https://a:b@web.example'],
    ['an @ in what is no URL', 'https//a:b@web.example'],
  ])('a URL with %s without letting anybody repeat it', (_name, given) => {
    expect(httpUrl({ description }).read(given)).toMatchObject({ ok: false, given: 'hidden' });
  });

  test('with the nearest of its words', () => {
    expect(mode.read('preapre')).toMatchObject({ nearest: 'prepare', accepted: 'run, prepare' });
  });
});

test.each([
  ['one letter too few', 'clustr', 'cluster'],
  ['two letters swapped', 'timeuot', 'timeout'],
  ['another case', 'Cluster', 'cluster'],
  ['a long name with three edits', 'allowed-acount-idz', 'allowed-account-ids'],
  ['nothing near', 'banana', undefined],
  ['nothing at all', '', undefined],
])('the nearest name is found for %s', (_name, given, expected) => {
  expect(nearestOf(given, ['cluster', 'timeout', 'service', 'allowed-account-ids'])).toBe(expected);
});

describe('a problem', () => {
  test('is one sentence with what was given, what is accepted and what was probably meant', () => {
    expect(
      describeProblem({
        input: 'mode',
        given: 'rnu',
        problem: 'is not one of the accepted values',
        accepted: 'run, prepare',
        nearest: 'run',
      }),
    ).toBe('mode: "rnu" is not one of the accepted values. Accepted: run, prepare. Did you mean run?');
    expect(describeProblem({ input: 'token', problem: 'is required' })).toBe('token: is required.');
  });

  test('shows no password of an address, also where the text is cut', () => {
    const given = `https://alice:${'hunter2'.repeat(20)}@shop.example.com/a`;
    expect(printable(given)).toBe('https://***@shop.example.com/a');
    expect(describeProblem({ input: 'url', given, problem: 'is odd' })).toBe(
      'url: "https://***@shop.example.com/a" is odd.',
    );
  });

  test.each([
    ['text on several lines', 'a\n  b\tc', 'a b c'],
    ['long text', 'x'.repeat(100), `${'x'.repeat(79)}…`],
    ['a structure', { a: [1] }, '{"a":[1]}'],
    ['nothing', undefined, 'undefined'],
  ])('prints %s in one short line', (_name, given, expected) => {
    expect(printable(given)).toBe(expected);
  });

  test('stands among the others in one message, and very many are counted', () => {
    const problems = Array.from({ length: 33 }, (_, index) => ({ input: `i${index}`, problem: 'is required' }));
    const lines = new InvalidInput('policy.yml', problems).message.split('\n');
    expect(lines).toHaveLength(33);
    expect(lines[0]).toBe('policy.yml cannot be used, 33 problems:');
    expect(lines.slice(-3)).toEqual(['  i29: is required.', '  and 3 more', 'Nothing was touched.']);
    expect(new InvalidInput('policy.yml', problems.slice(0, 1)).message).toContain('cannot be used, 1 problem:');
  });
});

describe('the inputs of AWS actions', () => {
  test.each<[keyof typeof awsInputs, string]>([
    ['region', 'us-west-2'],
    ['region', 'us-gov-east-1'],
    ['region', 'ap-southeast-5'],
    ['role-to-assume', 'arn:aws:iam::123456789012:role/deploy-production'],
    ['role-to-assume', 'arn:aws-cn:iam::123456789012:role/teams/web/deploy@x'],
    ['allowed-account-ids', '012345678901'],
  ])('%s takes %s', (name, given) => {
    expect(awsInputs[name].read(given)).toMatchObject({ ok: true });
  });

  test.each<[keyof typeof awsInputs, string]>([
    ['region', 'us-west-2a'],
    ['region', 'Oregon'],
    ['role-to-assume', 'deploy-production'],
    ['role-to-assume', 'arn:aws:iam::123456789012:user/deploy'],
    ['role-to-assume', 'arn:aws:iam::1234:role/deploy'],
    ['allowed-account-ids', '12345678901'],
    ['allowed-account-ids', '1234-5678-9012'],
  ])('%s refuses %s', (name, given) => {
    expect(awsInputs[name].read(given)).toMatchObject({ ok: false });
  });

  test('may all stand in a stage; the way to the stage may not', () => {
    expect(Object.values(awsInputs).map(({ from }) => from)).toEqual(['stage', 'stage', 'stage']);
    expect(Object.values(stageInputs).map(({ from }) => from)).toEqual(['input', 'input', 'input']);
  });
});
