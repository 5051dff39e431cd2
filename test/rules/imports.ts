import { readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, posix, relative, sep } from 'node:path';
import ts from 'typescript';

/** One import statement, export-from or import() of a file; paths are relative to the root, with forward slashes. */
export interface Import {
  readonly from: string;
  readonly line: number;
  readonly to:
    | { readonly kind: 'file'; readonly path: string }
    | { readonly kind: 'package'; readonly name: string }
    | { readonly kind: 'builtin'; readonly name: string };
  /** `types` leaves nothing behind in JavaScript; `dynamic` is an import() call. */
  readonly form: 'static' | 'types' | 'dynamic';
}

export const readImports = (root: string, file: string): Import[] =>
  importsOf(relative(root, file).split(sep).join('/'), readFileSync(file, 'utf8'));

export function importsOf(from: string, source: string): Import[] {
  const tree = ts.createSourceFile(from, source, ts.ScriptTarget.ESNext);
  const found: Import[] = [];
  const add = (node: ts.Node, specifier: ts.Node | undefined, form: Import['form']): void => {
    if (specifier === undefined || !ts.isStringLiteral(specifier)) return;
    const line = tree.getLineAndCharacterOfPosition(node.getStart(tree)).line + 1;
    found.push({ from, line, to: resolve(from, specifier.text), form });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node, node.moduleSpecifier, isTypeOnly(node) ? 'types' : 'static');
    if (ts.isExportDeclaration(node)) add(node, node.moduleSpecifier, node.isTypeOnly ? 'types' : 'static');
    if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node, node.argument.literal, 'types');
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      add(node, node.arguments[0], 'dynamic');
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return found;
}

function isTypeOnly({ importClause }: ts.ImportDeclaration): boolean {
  if (importClause === undefined) return false;
  if (importClause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const { name, namedBindings } = importClause;
  if (name !== undefined || namedBindings === undefined || !ts.isNamedImports(namedBindings)) return false;
  return namedBindings.elements.length > 0 && namedBindings.elements.every((element) => element.isTypeOnly);
}

function resolve(from: string, specifier: string): Import['to'] {
  if (specifier.startsWith('.')) return { kind: 'file', path: posix.normalize(join(dirname(from), specifier)) };
  if (isBuiltin(specifier)) return { kind: 'builtin', name: specifier };
  const [scope = '', name = ''] = specifier.split('/');
  return { kind: 'package', name: scope.startsWith('@') ? `${scope}/${name}` : scope };
}

/** The parts of the house. Files of an action beside main and execute, and the rooms of that name, are pure. */
type Zone =
  | 'domain'
  | 'ports'
  | 'engine'
  | 'adapters'
  | 'runtime'
  | 'action-pure'
  | 'action-execute'
  | 'action-main'
  | 'run'
  | 'outside';

export function zoneOf(path: string): Zone {
  const [, shared] = /^src\/(domain|ports|engine|adapters|runtime)\//.exec(path) ?? [];
  if (shared !== undefined) return shared as Zone;
  if (path === 'actions/run.ts') return 'run';
  const [, file] = /^actions\/[^/]+\/src\/(.+)$/.exec(path) ?? [];
  if (file === undefined) return 'outside';
  if (/^main\.ts$|^main\//.test(file)) return 'action-main';
  return /^execute(-[a-z-]+)?\.ts$|^execute\//.test(file) ? 'action-execute' : 'action-pure';
}

interface Allowance {
  readonly zones: readonly Zone[];
  readonly packages: 'none' | 'any' | RegExp;
  readonly builtins: 'none' | 'any';
}

/** Who may import whom. An own zone is always allowed; `own` of an action is judged by its folder. */
const ALLOWED: Readonly<Record<Exclude<Zone, 'outside'>, Allowance>> = {
  domain: { zones: ['domain'], packages: 'none', builtins: 'none' },
  ports: { zones: ['ports', 'domain'], packages: 'none', builtins: 'none' },
  engine: { zones: ['engine', 'ports', 'domain'], packages: 'none', builtins: 'none' },
  adapters: { zones: ['adapters', 'ports', 'domain'], packages: 'any', builtins: 'any' },
  runtime: { zones: ['runtime', 'adapters', 'ports', 'domain'], packages: /^(@actions\/.+|yaml)$/, builtins: 'any' },
  'action-pure': { zones: ['action-pure', 'domain'], packages: 'none', builtins: 'none' },
  'action-execute': {
    zones: ['action-execute', 'action-pure', 'engine', 'ports', 'domain'],
    packages: 'none',
    builtins: 'none',
  },
  'action-main': {
    zones: ['action-main', 'action-execute', 'action-pure', 'runtime', 'adapters', 'engine', 'ports', 'domain'],
    packages: 'none',
    builtins: 'none',
  },
  run: { zones: ['action-main', 'runtime'], packages: 'none', builtins: 'none' },
};

/** Adapters that others may build on: clients, not routers or metric sources. */
const CLIENT_ADAPTERS = ['aws', 'docker', 'github', 'http', 'kubernetes', 'registry', 'system'];

/** The build takes the few names that this module re-exports (tools/bundle/share.mjs). */
const CORE_SHARE = 'src/runtime/core.ts';

/** Why an import goes against the house, or undefined. */
export function importProblem(each: Import): string | undefined {
  const zone = zoneOf(each.from);
  if (zone === 'outside') return outsideProblem(each);
  const allowed = ALLOWED[zone];
  if (each.to.kind === 'package' && each.to.name === '@actions/core' && each.from !== CORE_SHARE)
    return `only ${CORE_SHARE} imports @actions/core: the whole of it costs 30 ms at every start`;
  switch (each.to.kind) {
    case 'builtin':
      return allowed.builtins === 'any' ? undefined : `${zone} imports no module of Node`;
    case 'package':
      return allowed.packages === 'any' || (allowed.packages !== 'none' && allowed.packages.test(each.to.name))
        ? undefined
        : `${zone} may not import the package ${each.to.name}`;
    case 'file':
      return fileProblem(each, zone, each.to.path);
  }
}

/** The sandbox plays the cloud for the committed bundles; with the actions' own code inside, it would test itself. */
function outsideProblem({ from, to }: Import): string | undefined {
  return from.startsWith('sandbox/') && to.kind === 'file' && /^(actions|test)\//.test(to.path)
    ? `the sandbox may not import ${to.path.split('/')[0]}`
    : undefined;
}

function fileProblem({ from, form }: Import, zone: Exclude<Zone, 'outside'>, path: string): string | undefined {
  const target = zoneOf(path);
  if (!ALLOWED[zone].zones.includes(target)) return `${zone} may not import ${target === 'outside' ? path : target}`;
  // The clock and the files of this machine are the same edge as the runtime.
  if (zone === 'runtime' && target === 'adapters' && familyOf(path) !== 'system')
    return `runtime may not import adapters of ${familyOf(path)}`;
  if (zone === 'adapters' && target === 'adapters') return adapterProblem(familyOf(from), familyOf(path));
  if (target.startsWith('action-') && zone !== 'run' && actionOf(from) !== actionOf(path))
    return 'no action imports another';
  if (zone === 'action-main' && target === 'adapters' && form === 'static')
    return 'main loads adapters by import(), so that bad input is answered before any SDK is loaded';
  if (zone === 'run' && form === 'static' && target === 'action-main')
    return 'run loads actions by import(), so that one start loads one action';
  return undefined;
}

const familyOf = (path: string): string => path.split('/')[2] ?? '';
const actionOf = (path: string): string => path.split('/')[1] ?? '';
const adapterProblem = (from: string, to: string): string | undefined =>
  from === to || CLIENT_ADAPTERS.includes(to) ? undefined : `adapters of ${from} may not import adapters of ${to}`;

/** Rings of imports that exist at run time, each as `a -> b -> a`. */
export function importRings(imports: readonly Import[]): string[] {
  const edges = new Map<string, string[]>();
  for (const { from, to, form } of imports) {
    if (form === 'static' && to.kind === 'file') edges.set(from, [...(edges.get(from) ?? []), to.path]);
  }
  const rings: string[] = [];
  const finished = new Set<string>();
  const walk = (file: string, trail: readonly string[]): void => {
    if (trail.includes(file)) rings.push([...trail.slice(trail.indexOf(file)), file].join(' -> '));
    if (finished.has(file) || trail.includes(file)) return;
    for (const next of edges.get(file) ?? []) walk(next, [...trail, file]);
    finished.add(file);
  };
  for (const file of edges.keys()) walk(file, []);
  return rings;
}
