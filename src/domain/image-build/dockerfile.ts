/** A secret that a Dockerfile mounts, and where. */
export interface SecretMount {
  readonly id: string;
  /** Of the instruction, from 1. */
  readonly line: number;
}

interface Instruction {
  readonly line: number;
  /** Upper case. */
  readonly word: string;
  readonly flags: readonly string[];
  /** Words behind the flags. */
  readonly rest: readonly string[];
}

interface Stage {
  readonly name: string;
  readonly mounts: readonly SecretMount[];
  /** Names and numbers of what it takes files from; `undefined`: named by a variable, and so perhaps any before it. */
  readonly from: readonly (string | undefined)[];
}

/**
 * The secrets that a build up to `target` mounts, without those that say `required=false`. BuildKit goes on without a secret
 * that is missing, and the step that needs it fails later, or bakes the absence in.
 *
 * Read is what decides this and nothing more: continued lines, comments, heredocs, stages and flags, as BuildKit's parser has
 * them (moby/buildkit, frontend/dockerfile/parser). What a variable names cannot be told, and is left to the engine; so is a
 * file with a frontend of its own.
 */
export function mountedSecrets(text: string, target?: string): readonly SecretMount[] {
  const stages = readStages(text);
  const found = neededBy(stages, target).flatMap(({ mounts }) => mounts);
  return found.filter(({ id }, index) => found.findIndex((other) => other.id === id) === index);
}

/** None of a file with a frontend of its own. */
function readStages(text: string): readonly Stage[] {
  const frontend = /^#\s*syntax\s*=\s*(\S+)/i.exec(text)?.[1] ?? 'docker/dockerfile';
  if (!/(^|\/)docker\/dockerfile(-upstream)?([:@]|$)/.test(frontend)) return [];
  return stagesOf(instructionsOf(text));
}

/** The FROM of what a build stands on. */
export interface BaseLine {
  /** Of the image, as it is written there, in lower case; undefined: by a variable. */
  readonly image: string | undefined;
  /** The stage, as BuildKit calls it in its progress. */
  readonly stage: string;
}

/** Of a build up to `target`. undefined: that cannot be told. */
export function baseLine(text: string, target?: string): BaseLine | undefined {
  const stages = readStages(text);
  let at = indexOf(stages, target?.toLowerCase(), stages.length);
  for (let stage = stages[at]; stage !== undefined; stage = stages[at]) {
    const [image] = stage.from;
    const before = image === undefined ? -1 : indexOf(stages, image, at);
    if (stages[before] === undefined || before >= at)
      return { image, stage: stage.name === '' ? `stage-${at}` : stage.name };
    at = before;
  }
  return undefined;
}

/** Of the stage of this name before `before`; without a name the last. -1: it is not there. */
function indexOf(stages: readonly Stage[], name: string | undefined, before: number): number {
  if (name === undefined) return before - 1;
  const at = stages.slice(0, before).findLastIndex((stage) => stage.name === name);
  return at < 0 && /^\d+$/.test(name) ? Number(name) : at;
}

function instructionsOf(text: string): readonly Instruction[] {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  const escape = /^(?:#\s*\w+\s*=.*\n)*#\s*escape\s*=\s*`/i.test(text) ? '`' : '\\';
  const instructions: Instruction[] = [];
  for (let index = 0; index < lines.length;) {
    let line = 0;
    let whole = '';
    let continues = true;
    while (continues && index < lines.length) {
      const each = lines[index] ?? '';
      index += 1;
      if (/^\s*#/.test(each) || (whole !== '' && each.trim() === '')) continue;
      if (whole === '') line = index;
      const end = each.trimEnd();
      continues = end.endsWith(escape);
      whole += continues ? `${end.slice(0, -1)} ` : each;
      if (whole.trim() === '') break;
    }
    if (whole.trim() === '') continue;
    const instruction = read(whole, line);
    instructions.push(instruction);
    if (['RUN', 'COPY', 'ADD'].includes(instruction.word)) index = behindHeredocs(lines, index, whole);
  }
  return instructions;
}

function read(whole: string, line: number): Instruction {
  const [word = '', ...words] = whole.trim().split(/\s+/);
  const end = words.findIndex((each) => !each.startsWith('--'));
  const flags = end < 0 ? words : words.slice(0, end);
  return { line, word: word.toUpperCase(), flags, rest: end < 0 ? [] : words.slice(end) };
}

/** Behind the ends of all heredocs that a line opens; one without an end is none. */
function behindHeredocs(lines: readonly string[], start: number, whole: string): number {
  let index = start;
  for (const [, tabs, , name] of whole.matchAll(/(?:^|\s)\d*<<(-?)(["']?)([A-Za-z_][\w.]*)\2(?=\s|$)/g)) {
    const end = lines.findIndex((each, at) => at >= index && (tabs === '-' ? each.replace(/^\t+/, '') : each) === name);
    if (end >= 0) index = end + 1;
  }
  return index;
}

function stagesOf(instructions: readonly Instruction[]): readonly Stage[] {
  const stages: { name: string; mounts: SecretMount[]; from: (string | undefined)[] }[] = [];
  const named = (name: string | undefined): string | undefined =>
    name === undefined || name.includes('$') ? undefined : name.toLowerCase();
  for (const { word, flags, rest, line } of instructions) {
    if (word === 'FROM') {
      const [base, as, name = ''] = rest;
      stages.push({ name: as?.toUpperCase() === 'AS' ? name.toLowerCase() : '', mounts: [], from: [named(base)] });
    }
    const stage = stages.at(-1);
    if (stage === undefined) continue;
    for (const flag of flags) {
      if (flag.startsWith('--from=')) stage.from.push(named(flag.slice('--from='.length)));
      if (word !== 'RUN' || !flag.startsWith('--mount=')) continue;
      const fields = fieldsOf(flag.slice('--mount='.length));
      if (fields.has('from')) stage.from.push(named(fields.get('from')));
      const id = secretOf(fields);
      if (id !== undefined) stage.mounts.push({ id, line });
    }
  }
  return stages;
}

const fieldsOf = (mount: string): ReadonlyMap<string, string> =>
  new Map(
    mount.split(',').map((field): [string, string] => {
      const [key = '', value = ''] = field.replaceAll(/["']/g, '').split(/=(.*)/s);
      return [key.toLowerCase(), value];
    }),
  );

/** Its id as BuildKit takes it: `source`, `id`, or the last part of the path; undefined: none that has to be there. */
function secretOf(fields: ReadonlyMap<string, string>): string | undefined {
  const field = (...names: readonly string[]): string | undefined =>
    names.map((name) => fields.get(name)).find((value) => value !== undefined && value !== '');
  if (fields.get('type') !== 'secret' || /^(false|0|f)$/i.test(fields.get('required') ?? '')) return undefined;
  const id = field('source', 'src') ?? field('id') ?? field('target', 'dst', 'destination')?.split('/').at(-1);
  return id === undefined || id === '' || id.includes('$') ? undefined : id;
}

/** Only these are built. A target that is not there is for the engine to refuse. */
function neededBy(stages: readonly Stage[], target: string | undefined): readonly Stage[] {
  const last = indexOf(stages, target?.toLowerCase(), stages.length);
  const needed = new Set<number>();
  const add = (index: number): void => {
    if (needed.has(index) || stages[index] === undefined) return;
    needed.add(index);
    for (const name of stages[index].from) {
      if (name === undefined) for (let before = 0; before < index; before += 1) add(before);
      else add(indexOf(stages, name, index));
    }
  };
  add(last);
  return [...needed].sort((a, b) => a - b).flatMap((index) => stages[index] ?? []);
}
