/** A tracked text file. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

// Spelt in two, so that the rules do not find themselves.
const MARKS = new RegExp(String.raw`\b(${['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X', 'HA' + 'CK'].join('|')})\b`);
const NAMED_FOR_NOTHING = /(^|\/)(utils?|helpers?|common|misc)(\/|\.[a-z]+$)/;
const MACHINE_PATH = /(^|[^A-Za-z0-9_.$}/])\/(work|farm|root|home\/[a-z]+)\//;
const ALONE = /\b(test|it|describe)\.only\b/;

export function treeProblems({ path, text }: SourceFile): string[] {
  const inLine = (pattern: RegExp, problem: string): string[] =>
    text.split('\n').flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1} ${problem}`] : []));
  return [
    ...(NAMED_FOR_NOTHING.test(path) ? [`${path} is named for nothing`] : []),
    ...inLine(MARKS, 'an unfinished mark'),
    ...inLine(MACHINE_PATH, 'a path of one machine'),
    ...(path.startsWith('test/') ? inLine(ALONE, 'a test that runs alone') : []),
  ];
}

interface LockedPackage {
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/**
 * npm ci refuses a lockfile that lacks the package of any platform, also of one that nobody here has. A registry that
 * does not have them all makes such a lockfile without a word.
 */
export function lockfileGaps(packages: Readonly<Record<string, LockedPackage>>): string[] {
  const places = (owner: string, name: string): string[] => {
    const folders = owner
      .split('/node_modules/')
      .map((_, index, parts) => parts.slice(0, index + 1).join('/node_modules/'));
    return [`node_modules/${name}`, ...folders.map((folder) => `${folder}/node_modules/${name}`)];
  };
  return Object.entries(packages).flatMap(([owner, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies)
      .filter((name) => !places(owner, name).some((place) => place in packages))
      .map((name) => `${name}, wanted by ${owner}`),
  );
}
