import { describe, expect, test } from '@jest/globals';
import { type AnswerParser, type Parsed, type Wanted, answerParser } from '../../../src/adapters/http/answer-parser.ts';

const feed = (parser: AnswerParser, parts: readonly string[]): Parsed =>
  parts.reduce<Parsed>((_, part) => parser.take(Buffer.from(part, 'latin1')), { kind: 'more' });

/** One answer on a connection of its own. */
function read(parts: readonly string[], wanted: Wanted = { body: 'expected' }) {
  const parser = answerParser();
  parser.begin(wanted);
  const parsed = feed(parser, parts);
  const answer = parser.answer();
  return {
    parsed,
    parser,
    status: parser.status,
    headers: answer.headers(),
    body: Buffer.from(answer.body(1_000)).toString('latin1'),
  };
}

const CHUNKED =
  'HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Empty:\r\nX-Blank: b \r\n\r\n5\r\nhello\r\n7;x=1\r\n, world\r\n0\r\nX-Trailer: t\r\n\r\n';

describe('an answer', () => {
  test.each([
    { name: 'with a length', text: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok', keep: 'yes', body: 'ok' },
    { name: 'without a body', text: 'HTTP/1.1 204 No Content\r\n\r\n', keep: 'yes', body: '' },
    {
      name: 'that ends its connection',
      text: 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok',
      keep: 'no',
      body: 'ok',
    },
    { name: 'of HTTP/1.0', text: 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok', keep: 'no', body: 'ok' },
    {
      name: 'with something behind it',
      text: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n',
      keep: 'no',
      body: 'ok',
    },
  ])('$name is whole', ({ text, keep, body }) => {
    expect(read([text])).toMatchObject({ parsed: { kind: 'whole', keep }, body });
  });

  test('is the same however its bytes are cut', () => {
    const inTwo = Array.from({ length: CHUNKED.length - 1 }, (_, at) => [
      CHUNKED.slice(0, at + 1),
      CHUNKED.slice(at + 1),
    ]);
    const readings = [[CHUNKED], [...CHUNKED], ...inTwo].map((parts) => {
      const { parsed, status, headers, body } = read(parts);
      return JSON.stringify({ parsed, status, headers, body });
    });
    expect(new Set(readings)).toEqual(
      new Set([
        JSON.stringify({
          parsed: { kind: 'whole', keep: 'yes' },
          status: 200,
          headers: [
            ['Transfer-Encoding', 'chunked'],
            ['X-Empty', ''],
            ['X-Blank', 'b'],
          ],
          body: 'hello, world',
        }),
      ]),
    );
  });

  test('without a length ends with its connection', () => {
    const { parser, parsed } = read(['HTTP/1.1 200 OK\r\n\r\nuntil ', 'the end']);
    expect([parsed, parser.end()]).toEqual([{ kind: 'more' }, { kind: 'whole', keep: 'no' }]);
  });

  test.each([
    { name: 'in its head', text: 'HTTP/1.1 200 OK\r\nContent-Le' },
    { name: 'in its body', text: 'HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nok' },
    { name: 'in its chunks', text: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel' },
    { name: 'before it began', text: '' },
    { name: 'after an interim one', text: 'HTTP/1.1 103 Early\r\n\r\n' },
  ])('that breaks off $name is cut', ({ text }) => {
    expect(read([text]).parser.end()).toEqual({ kind: 'cut' });
  });

  test.each([
    { name: 'another language', text: 'iWelcome\t/x\r\n', why: 'Expected HTTP/' },
    {
      name: 'two lengths',
      text: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok',
      why: 'Content-Length',
    },
    {
      name: 'length and chunks',
      text: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n',
      why: 'Content-Length',
    },
    {
      name: 'a switch of protocols',
      text: 'HTTP/1.1 101 Go\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
      why: 'nobody',
    },
    { name: 'a line end in a header', text: 'HTTP/1.1 200 OK\r\nX: a\nY: b\r\n\r\n', why: '' },
    { name: 'a head without an end', text: `HTTP/1.1 200 OK\r\n${'X: yyyyyyyyyyyyyy\r\n'.repeat(3_500)}`, why: '' },
  ])('of $name is broken', ({ text, why }) => {
    const parts = text.match(/[\s\S]{1,60000}/g) ?? [];
    expect(read([...parts, 'X: yyyyyyyyyyyyyy\r\n'.repeat(1_000)]).parsed).toMatchObject({
      kind: 'broken',
      why: expect.stringContaining(why),
    });
  });

  test('to HEAD has no body, whatever it says', () => {
    const { parsed, body } = read(['HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n'], { body: 'none' });
    expect([parsed, body]).toEqual([{ kind: 'whole', keep: 'yes' }, '']);
  });

  test('whose status suffices keeps nothing, and leaves nothing for the next one', () => {
    const parser = answerParser();
    parser.begin({ body: 'expected', statusSuffices: (status) => status < 400 });
    expect(feed(parser, ['HTTP/1.1 200', ' OK\r\nX: 1\r\nContent-Length: 2\r\n\r\nok'])).toMatchObject({
      kind: 'whole',
    });
    expect([parser.answer().headers(), parser.size]).toEqual([[], 2]);
    parser.begin({ body: 'expected', statusSuffices: (status) => status < 400 });
    expect(feed(parser, ['HTTP/1.1 503 No\r\nX: 2\r\nContent-Length: 4\r\n\r\ndown'])).toMatchObject({ kind: 'whole' });
    const failed = parser.answer();
    expect([failed.headers()[0], Buffer.from(failed.body(9)).toString()]).toEqual([['X', '2'], 'down']);
    parser.close();
  });
});
