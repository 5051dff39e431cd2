/**
 * The data of AWS's Query protocol, both ways: flat form fields in, XML out. Every leaf is text; a list is what the wire
 * writes as `.member.N` or `<member>`.
 */
export type Tree = string | readonly Tree[] | { readonly [name: string]: Tree | undefined };
export type TreeObject = { readonly [name: string]: Tree | undefined };

export const objectOf = (tree: Tree | undefined): TreeObject =>
  tree !== undefined && typeof tree !== 'string' && !Array.isArray(tree) ? (tree as TreeObject) : {};
export const listOf = (tree: Tree | undefined): readonly Tree[] => (Array.isArray(tree) ? tree : []);
export const objectsOf = (tree: Tree | undefined): readonly TreeObject[] => listOf(tree).map(objectOf);
export const textsOf = (tree: Tree | undefined): readonly string[] =>
  listOf(tree).filter((entry): entry is string => typeof entry === 'string');
/** Absent and empty are told apart: `undefined` and `''`. */
export const textOf = (tree: Tree | undefined): string | undefined => (typeof tree === 'string' ? tree : undefined);

type Growing = { [name: string]: Growing | string };

/** `Actions.member.1.Type=forward` -> `{ Actions: [{ Type: 'forward' }] }`. */
export function treeOfForm(form: string): TreeObject {
  const root: Growing = Object.create(null) as Growing;
  for (const [key, value] of new URLSearchParams(form)) {
    const path = key.split('.');
    const last = path.pop() as string;
    let at = root;
    for (const name of path) {
      const next = at[name];
      at = typeof next === 'object' ? next : (at[name] = Object.create(null) as Growing);
    }
    at[last] = value;
  }
  return objectOf(settled(root));
}

function settled(node: Growing | string): Tree {
  if (typeof node === 'string') return node;
  const names = Object.keys(node);
  const members = node['member'];
  if (names.length === 1 && typeof members === 'object') {
    return Object.keys(members)
      .sort((a, b) => Number(a) - Number(b))
      .map((index) => settled(members[index] as Growing | string));
  }
  return Object.fromEntries(names.map((name) => [name, settled(node[name] as Growing | string)]));
}

const PIECE = /<(\/?)([\w:.-]+)[^>]*?(\/?)>|([^<]+)/g;

interface Open {
  readonly name: string;
  readonly children: [string, Tree][];
  text: string;
}

/**
 * Reads elements, text and the five entities; attributes are dropped. `members`: names of elements that make up a list
 * beside `member`, in APIs that give each list a name of its own.
 */
export function treeOfXml(xml: string, members: ReadonlySet<string> = NO_MEMBERS): TreeObject {
  const stack: Open[] = [{ name: '', children: [], text: '' }];
  for (const [, closing, name, empty, text] of xml.replace(/<\?[^>]*\?>/, '').matchAll(PIECE)) {
    const top = stack.at(-1) as Open;
    if (text !== undefined) top.text += text;
    else if (closing) {
      stack.pop();
      stack.at(-1)?.children.push([top.name, treeOfOpen(top, members)]);
    } else if (empty) top.children.push([name as string, '']);
    else stack.push({ name: name as string, children: [], text: '' });
  }
  return objectOf(treeOfOpen(stack[0] as Open, members));
}

const NO_MEMBERS: ReadonlySet<string> = new Set();

function treeOfOpen({ children, text }: Open, members: ReadonlySet<string>): Tree {
  if (children.length === 0) return text.trim() === '' ? '' : unescaped(text);
  return children.every(([name]) => name === 'member' || members.has(name))
    ? children.map(([, child]) => child)
    : Object.fromEntries(children);
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
const unescaped = (text: string): string =>
  text.replace(/&(?:#(x?)([0-9a-fA-F]+)|(\w+));/g, (whole, hex: string, code: string | undefined, name: string) =>
    code !== undefined ? String.fromCodePoint(parseInt(code, hex ? 16 : 10)) : (ENTITIES[name] ?? whole),
  );

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
export const escaped = (text: string): string => text.replace(/[&<>"]/g, (character) => ESCAPES[character] as string);

export function xmlOfTree(tree: Tree | undefined): string {
  if (tree === undefined) return '';
  if (typeof tree === 'string') return escaped(tree);
  if (Array.isArray(tree)) return tree.map((entry) => `<member>${xmlOfTree(entry as Tree)}</member>`).join('');
  return Object.entries(tree)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `<${name}>${xmlOfTree(value)}</${name}>`)
    .join('');
}

/** The other way of `treeOfForm`: flat fields. */
export function formOfTree(tree: Tree | undefined, at = ''): Readonly<Record<string, string>> {
  if (tree === undefined) return {};
  if (typeof tree === 'string') return { [at]: tree };
  const entries: readonly (readonly [string, Tree | undefined])[] = Array.isArray(tree)
    ? tree.map((entry, index) => [`member.${index + 1}`, entry as Tree])
    : Object.entries(tree);
  return Object.assign({}, ...entries.map(([name, value]) => formOfTree(value, at === '' ? name : `${at}.${name}`)));
}
