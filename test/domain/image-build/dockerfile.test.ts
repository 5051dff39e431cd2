import { expect, test } from '@jest/globals';
import { mountedSecrets } from '../../../src/domain/image-build/dockerfile.ts';

const told = (text: string, target?: string): readonly string[] =>
  mountedSecrets(text, target).map(({ id, line }) => `${id}:${line}`);

test.each<[name: string, text: string, expected: readonly string[]]>([
  ['none', 'FROM scratch\nRUN --mount=type=cache,target=/c true', []],
  ['one, with its line', 'FROM a\n\n# why\nRUN --mount=type=secret,id=npm npm ci', ['npm:4']],
  ['several in one instruction', 'FROM a\nRUN --mount=type=secret,id=a --mount=id=b,type=secret x', ['a:2', 'b:2']],
  ['one that is mounted twice', 'FROM a\nRUN --mount=type=secret,id=a x\nRUN --mount=type=secret,id=a y', ['a:2']],
  [
    'a continued line with a comment in it',
    'FROM a\nRUN \\\n  # note\n\n  --mount=type=secret,id=a \\\n  x\nRUN y',
    ['a:2'],
  ],
  ['another escape', '# escape=`\nFROM a\nRUN `\n --mount=type=secret,id=a x', ['a:3']],
  ['lines of Windows', 'FROM a\r\nRUN \\\r\n --mount=type=secret,id=a x\r\n', ['a:2']],
  ['lower case, and quotes', 'from a\nrun --mount=type=secret,"id=a" x', ['a:2']],
  ['an id that is the last part of the path', 'FROM a\nRUN --mount=type=secret,target=/etc/.npmrc x', ['.npmrc:2']],
  ['an id in the place of the source', 'FROM a\nRUN --mount=type=secret,source=s,target=/x x', ['s:2']],
  ['one as a variable', 'FROM a\nRUN --mount=type=secret,id=a,env=TOKEN x', ['a:2']],
  ['one that has to be there', 'FROM a\nRUN --mount=type=secret,id=a,required x', ['a:2']],
  ['one that may be missing', 'FROM a\nRUN --mount=type=secret,id=a,required=false x', []],
  ['an id by a variable', 'FROM a\nARG X\nRUN --mount=type=secret,id=$X x', []],
  ['a text that only looks so', 'FROM a\nRUN echo --mount=type=secret,id=a', []],
  ['a comment', 'FROM a\n# RUN --mount=type=secret,id=a x', []],
  ['a heredoc', 'FROM a\nRUN <<EOF\nRUN --mount=type=secret,id=a x\nEOF\nRUN --mount=type=secret,id=b x', ['b:5']],
  ['a heredoc with tabs', "FROM a\nCOPY <<-'X' /x\nRUN --mount=type=secret,id=a x\n\tX\nRUN y", []],
  ['a step of a later build', 'FROM a\nONBUILD RUN --mount=type=secret,id=a x', []],
  ['a frontend of its own', '# syntax=acme/frontend:1\nFROM a\nRUN --mount=type=secret,id=a x', []],
  ['the usual frontend', '# syntax=docker/dockerfile:1.7\nFROM a\nRUN --mount=type=secret,id=a x', ['a:3']],
])('the secrets of a Dockerfile: %s', (_name, text, expected) => {
  expect(told(text)).toEqual(expected);
});

const STAGES = `FROM node AS deps
RUN --mount=type=secret,id=npm npm ci
FROM node AS other
RUN --mount=type=secret,id=other x
FROM deps AS test
RUN --mount=type=secret,id=coverage x
FROM scratch AS run
COPY --from=deps /app /app
FROM \${BASE} AS any
RUN --mount=type=bind,from=1,target=/x x`;

test.each<[name: string, target: string | undefined, expected: readonly string[]]>([
  ['what it copies from', 'run', ['npm:2']],
  ['what it stands on', 'Test', ['npm:2', 'coverage:6']],
  ['a stage by its number', '1', ['other:4']],
  ['a base by a variable may be any stage before', undefined, ['npm:2', 'other:4', 'coverage:6']],
  ['a stage that is not there', 'nowhere', []],
])('only those of the stages that are built: %s', (_name, target, expected) => {
  expect(told(STAGES, target)).toEqual(expected);
});
