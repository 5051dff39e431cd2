import { expect, test } from '@jest/globals';
import { basesIn } from '../../../src/domain/image-build/base.ts';
import { type BaseLine, baseLine } from '../../../src/domain/image-build/dockerfile.ts';

const D = (digit: string): string => `sha256:${digit.repeat(64)}`;
const image = (name: string, digit: string) => ({ name, digest: D(digit) });

test.each<
  [name: string, text: string, target: string | undefined, image: string | undefined, stage: string | undefined]
>([
  ['one stage', 'FROM alpine', undefined, 'alpine', 'stage-0'],
  ['the last of several', 'FROM golang AS build\nFROM alpine', undefined, 'alpine', 'stage-1'],
  ['by its name', 'FROM golang AS build\nFROM alpine AS Run', undefined, 'alpine', 'run'],
  ['of the stage that the last stands on', 'FROM a AS base\nFROM b AS build\nFROM base', undefined, 'a', 'base'],
  ['of a chain', 'FROM a AS one\nFROM one AS two\nFROM two AS three', undefined, 'a', 'one'],
  ['of the target', 'FROM golang AS build\nFROM alpine', 'BUILD', 'golang', 'build'],
  ['of an image that is called like a later stage', 'FROM run\nFROM alpine AS run', undefined, 'alpine', 'run'],
  ['of an image that is called like its own stage', 'FROM node AS node', undefined, 'node', 'node'],
  ['by a variable', 'ARG BASE=alpine\nFROM $BASE', undefined, undefined, 'stage-0'],
  ['of a stage on one by a variable', 'FROM $BASE AS base\nFROM base', undefined, undefined, 'base'],
])('the line that names what an image stands on: %s', (_name, text, target, image, stage) => {
  expect(baseLine(text, target)).toEqual({ image, stage });
});

test.each([
  ['a target that is not there', 'FROM alpine', 'nowhere'],
  ['a frontend of its own', '# syntax=acme/frontend:1\nFROM alpine', undefined],
  ['an empty file', '', undefined],
])('there is none of %s', (_name, text, target) => {
  expect(baseLine(text, target)).toBeUndefined();
});

const MULTI = [
  '#5 [linux/amd64 internal] load metadata for docker.io/library/golang:1.24',
  `#6 [build 1/3] FROM docker.io/library/golang:1.24@${D('a')}`,
  `#6 resolve docker.io/library/golang:1.24@${D('a')} 0.1s done`,
  `#7 [run 1/2] FROM gcr.io/distroless/static@${D('b')}`,
  `#7 CACHED`,
  `#6 [build 1/3] FROM docker.io/library/golang:1.24@${D('a')}`,
].join('\n');

const by = (image: string | undefined, stage = 'stage-0'): BaseLine => ({ image, stage });
const TAKEN = `#5 FROM ghcr.io/astral-sh/uv:latest@${D('d')}`;
const ONE = `#4 [1/2] FROM docker.io/library/alpine:latest@${D('c')}`;

test.each<[name: string, progress: string, line: BaseLine | undefined, base: string | undefined, bases: number]>([
  ['nothing', '', by('alpine'), undefined, 0],
  ['scratch', '#4 [1/2] COPY a /a\n#4 DONE', by('scratch'), undefined, 0],
  ['the only stage', ONE, by('alpine'), 'c', 1],
  ['by a whole name', ONE, by('docker.io/library/alpine:latest'), 'c', 1],
  ['another tag', ONE, by('alpine:3'), undefined, 1],
  ['an image of a user', `#4 [1/2] FROM docker.io/me/it:1@${D('c')}`, by('me/it:1'), 'c', 1],
  ['a registry with a port', `#4 [1/2] FROM 127.0.0.1:5000/it:1@${D('c')}`, by('127.0.0.1:5000/it:1'), 'c', 1],
  ['one that is pinned', `#4 [1/2] FROM docker.io/library/alpine@${D('c')}`, by(`alpine@${D('c')}`), 'c', 1],
  ['the only stage, which has no name there, by a variable', ONE, by(undefined), 'c', 1],
  ['the stage of the result', MULTI, by('gcr.io/distroless/static', 'run'), 'b', 2],
  ['the stage of the result, by a variable', MULTI, by(undefined, 'run'), 'b', 2],
  ['one that BuildKit says at another stage', MULTI, by('golang:1.24', 'run'), 'a', 2],
  ['one beside an image that files are taken from', `${TAKEN}\n${ONE}`, by(undefined), 'c', 2],
  ['none of an image that files are only taken from', TAKEN, by(undefined), undefined, 1],
  ['no stage that is known', MULTI, undefined, undefined, 2],
  ['one of several platforms', `#4 [linux/arm64 1/2] FROM alpine@${D('c')}`, by(undefined), 'c', 1],
  ['a stage of several platforms', `#4 [linux/arm/v7 run 1/2] FROM a@${D('c')}`, by(undefined, 'run'), 'c', 1],
  ['an image of the engine alone, without a digest', '#4 [1/2] FROM docker.io/library/mine', by('mine'), undefined, 0],
  ['words of a step that only look so', `#9 0.2 [1/2] FROM alpine@${D('c')}`, by('alpine'), undefined, 0],
])('what BuildKit says it built on: %s', (_name, progress, line, base, count) => {
  const found = basesIn(progress, line);
  expect(found.base?.digest).toBe(base === undefined ? undefined : D(base));
  expect(found.bases).toHaveLength(count);
});

test('a base has its name and the digest that was found under it', () => {
  expect(basesIn(MULTI, by(undefined, 'run'))).toEqual({
    base: image('gcr.io/distroless/static', 'b'),
    bases: [image('docker.io/library/golang:1.24', 'a'), image('gcr.io/distroless/static', 'b')],
  });
});
