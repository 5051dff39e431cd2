import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { runnerLog } from '../../src/runtime/log.ts';
import { readRunnerOutput } from '../../sandbox/runner/runner-protocol.ts';

function recorded(token?: () => string) {
  let written = '';
  const log = runnerLog({ write: (lines) => (written += lines), ...(token === undefined ? {} : { token }) });
  return { log, written: () => written, read: () => readRunnerOutput(written) };
}

/** Text made of what an attacker would use: commands of both forms, line ends, blanks that .NET trims, escapes. */
const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '::',
        '##[',
        ']',
        '\n',
        '\r',
        '\r\n',
        ' ',
        '\u00a0',
        '\u0085',
        '\u200b',
        '\u00ad',
        '%0A',
        '%',
        ',',
        '=',
      ),
      fc.constantFrom(
        '::error::x',
        '##[add-mask]x',
        '::stop-commands::t',
        '::debug::',
        '::set-output name=a::b',
        '##[group]',
      ),
      fc.constantFrom('error', 'stop-commands', 'warning file=a', 'Weight 10 -> 50'),
      fc.string({ maxLength: 8 }),
    ),
    { maxLength: 30 },
  )
  .map((parts) => parts.join(''));

describe('text that is not ours', () => {
  test('is never read as a command when it is an info line or verbatim, and commands work afterwards', () => {
    fc.assert(
      fc.property(fc.array(hostile, { maxLength: 4 }), (texts) => {
        const { log, read } = recorded();
        for (const text of texts) {
          log.info(text);
          log.verbatim('Events of the service', text);
        }
        log.annotate({ level: 'notice', title: 'end', message: 'end' });
        const { commands, stopped } = read();
        const others = commands.filter(({ name }) => name !== 'group' && name !== 'endgroup');
        expect(others).toEqual([{ name: 'notice', properties: { title: 'end' }, data: 'end' }]);
        expect(
          commands.filter(({ name }) => name === 'group').every(({ data }) => data === 'Events of the service'),
        ).toBe(true);
        expect(stopped).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  test('arrives whole as the one command that carries it', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const { log, read } = recorded();
        log.warning(text);
        log.debug(text);
        log.annotate({ level: 'error', title: 'Verdict', message: text, file: 'policy.yml', line: 7 });
        expect(read().commands).toEqual([
          { name: 'warning', properties: {}, data: text },
          { name: 'debug', properties: {}, data: text },
          { name: 'error', properties: { title: 'Verdict', file: 'policy.yml', line: '7' }, data: text },
        ]);
      }),
      { numRuns: 500 },
    );
  });

  test('stays one command when it is a title or a path', () => {
    fc.assert(
      fc.property(hostile, hostile, (title, file) => {
        const { log, read } = recorded();
        log.annotate({ level: 'error', title: `<${title}>`, message: 'm', file: `<${file}>` });
        expect(read().commands).toEqual([
          { name: 'error', properties: { title: `<${title}>`, file: `<${file}>` }, data: 'm' },
        ]);
      }),
      { numRuns: 500 },
    );
  });

  test('cannot end the stop by knowing the token beforehand', () => {
    const tokens = ['guessed', 'guessed', 'fresh'];
    const { log, read } = recorded(() => tokens.shift() ?? 'none left');
    log.verbatim('Log', '::guessed::\n::error::injected');
    expect(read()).toEqual({ commands: [], lines: ['Log', '::guessed::', '::error::injected'], stopped: false });
  });
});

describe('an ordinary line', () => {
  test.each([
    ['a step', 'Weight 10 -> 50, bake 5m'],
    ['an ARN, which has two colons inside', 'role arn:aws:iam::123456789012:role/deploy'],
    ['a heading with a number sign', '## Events'],
  ])('is printed as it is: %s', (_name, line) => {
    const { log, written } = recorded();
    log.info(line);
    expect(written()).toBe(`${line}\n`);
  });

  test('is folded with its title when a text has more than 20 lines', () => {
    const { log, read } = recorded();
    const text = Array.from({ length: 21 }, (_, index) => `line ${index}`).join('\n');
    log.verbatim('Stopped tasks', text);
    expect(read().commands.map(({ name, data }) => `${name} ${data}`)).toEqual(['group Stopped tasks', 'endgroup ']);
    expect(read().lines).toEqual(text.split('\n'));
  });
});

describe('a masked value', () => {
  const secret = 'pass%word\nsecond: line';

  test('is told to the runner, whole and line by line, before it is hidden', () => {
    const { log, read } = recorded();
    log.mask(secret);
    expect(read().commands.map(({ name, data }) => [name, data])).toEqual([
      ['add-mask', secret],
      ['add-mask', 'pass%word'],
      ['add-mask', 'second: line'],
    ]);
  });

  test('does not appear in anything that is said afterwards', () => {
    const { log, written } = recorded();
    log.mask(secret);
    const masks = written().length;
    log.info(`the token is ${secret}`);
    log.debug(`again pass%word`);
    log.warning(`and second: line`);
    log.verbatim(`in a title ${secret}`, `in a text ${secret}`);
    log.annotate({ level: 'error', title: secret, message: secret, file: secret });
    const said = written().slice(masks);
    expect(said).not.toContain('pass');
    expect(said).not.toContain('second');
    expect(said).toContain('the token is ***\n');
    expect(log.hide(`output ${secret}`)).toBe('output ***');
  });

  test('is hidden in other spellings too, and the runner is told of it as it is', () => {
    const { log, read } = recorded();
    log.mask('pa ss/word');
    const basic = Buffer.from('user:pa ss/word').toString('base64');
    expect(log.hide(`?p=pa%20ss%2Fword ${basic}`)).toMatch(/^\?p=\*\*\* \S*\*\*\*\S*$/);
    expect(read().commands).toHaveLength(1);
  });

  test('of fewer than four characters is left alone, or every word would be stars', () => {
    const { log, written } = recorded();
    log.mask('a');
    log.info('a plain line');
    expect(written()).toBe('a plain line\n');
  });
});
