import ts from 'typescript';

/*
 * The texts that a test file expects, read from its syntax tree: literals that stand in the argument of a matcher, or that
 * come there by a constant, a row of `test.each`, a `for ... of` or a parameter of a function of the file. A comment, a name
 * of a test, an input and what is expected not to be there are none of them.
 */

/** How many constants and functions may lie between a literal and its matcher. */
const DEEPEST = 6;

export function expectedTexts(name: string, text: string): readonly string[] {
  const file = ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true);
  const found = new Set<string>();
  each(file, (node) => {
    if (!isMatcher(node)) return;
    for (const argument of node.arguments) for (const expected of textsOf(argument, DEEPEST)) found.add(expected);
  });
  return [...found];
}

/** Whether a function of that name is called, or given to another one. */
export function calls(name: string, text: string, functions: readonly string[]): boolean {
  const file = ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true);
  let found = false;
  each(file, (node) => {
    found ||= ts.isCallExpression(node) && ts.isIdentifier(node.expression) && functions.includes(node.expression.text);
  });
  return found;
}

function each(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  ts.forEachChild(node, (child) => each(child, visit));
}

/** `expect(x).toContain(...)`, also of a promise; nothing that has `not` in between. */
function isMatcher(node: ts.Node): node is ts.CallExpression {
  if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return false;
  if (!node.expression.name.text.startsWith('to')) return false;
  let inner: ts.Expression = node.expression.expression;
  while (ts.isPropertyAccessExpression(inner)) {
    if (inner.name.text === 'not') return false;
    inner = inner.expression;
  }
  return ts.isCallExpression(inner) && ts.isIdentifier(inner.expression) && inner.expression.text === 'expect';
}

/** Every text that this expression may have in it. */
function textsOf(node: ts.Node, depth: number): readonly string[] {
  if (depth === 0) return [];
  if (isNegation(node)) return [];
  if (ts.isStringLiteralLike(node)) return [node.text];
  if (ts.isRegularExpressionLiteral(node)) return [unescaped(node.text)];
  if (ts.isTemplateExpression(node)) {
    const inner = node.templateSpans.flatMap(({ expression }) => textsOf(expression, depth - 1));
    return [[node.head.text, ...node.templateSpans.map(({ literal }) => literal.text)].join('…'), ...inner];
  }
  if (ts.isCallExpression(node) && node.expression.getText() === 'Object.keys')
    return node.arguments.flatMap((mapping) => keysOf(mapping));
  if (ts.isPropertyAssignment(node)) return textsOf(node.initializer, depth);
  if (ts.isPropertyAccessExpression(node)) return textsOf(node.expression, depth);
  if (ts.isIdentifier(node)) return meaningOf(node, depth - 1);
  if (ts.isShorthandPropertyAssignment(node)) return meaningOf(node.name, depth - 1);
  const all: string[] = [];
  ts.forEachChild(node, (child) => void all.push(...textsOf(child, depth)));
  return all;
}

/** Of a mapping, or of the constant that it is. */
function keysOf(mapping: ts.Expression): readonly string[] {
  if (ts.isObjectLiteralExpression(mapping))
    return mapping.properties.flatMap(({ name }) =>
      name !== undefined && ts.isStringLiteral(name) ? [name.text] : [],
    );
  const declared = ts.isIdentifier(mapping) ? declarationOf(mapping) : undefined;
  return declared === undefined ? [] : sourcesOf(declared.owner).filter(ts.isObjectLiteralExpression).flatMap(keysOf);
}

/** `expect.not.stringContaining(...)`. */
const isNegation = (node: ts.Node): boolean =>
  ts.isCallExpression(node) && node.expression.getText().startsWith('expect.not.');

/** `/it\. \(is\)/` as the text that it finds. */
const unescaped = (regex: string): string =>
  regex.slice(1, regex.lastIndexOf('/')).replaceAll(/\\([^a-zA-Z0-9])/g, '$1');

/** What a name stands for: its constant, or everything that is ever put there. */
function meaningOf(name: ts.Identifier, depth: number): readonly string[] {
  const declared = declarationOf(name);
  if (declared === undefined || depth <= 0) return [];
  const { property, owner } = declared;
  const values = sourcesOf(owner);
  const picked = property === undefined ? values : values.flatMap((value) => valuesAt(value, property, DEEPEST));
  return picked.flatMap((value) => textsOf(value, depth));
}

interface Declared {
  /** Of what is taken apart: `{ says }` of a row. */
  readonly property: string | undefined;
  readonly owner: ts.VariableDeclaration | ts.ParameterDeclaration;
}

/** The nearest one in scope; this reads tests, which hide no name in a block beside. */
function declarationOf(name: ts.Identifier): Declared | undefined {
  for (let scope: ts.Node = name; ; scope = scope.parent) {
    const found: Declared[] = [];
    for (const owner of ownersIn(scope)) {
      const binding = bindingOf(owner.name, name.text);
      if (binding !== undefined)
        found.push({ owner, property: binding === owner.name ? undefined : binding.getText() });
    }
    if (found[0] !== undefined) return found[0];
    if (ts.isSourceFile(scope)) return undefined;
  }
}

function ownersIn(scope: ts.Node): readonly Declared['owner'][] {
  if (ts.isFunctionLike(scope)) return [...scope.parameters];
  if (ts.isForOfStatement(scope) && ts.isVariableDeclarationList(scope.initializer))
    return [...scope.initializer.declarations];
  if (!ts.isSourceFile(scope) && !ts.isBlock(scope)) return [];
  return scope.statements.flatMap((each) =>
    ts.isVariableStatement(each) ? [...each.declarationList.declarations] : [],
  );
}

/** The place of the name in a pattern: the pattern itself, or the property that is taken out. */
function bindingOf(pattern: ts.BindingName, name: string): ts.Node | undefined {
  if (ts.isIdentifier(pattern)) return pattern.text === name ? pattern : undefined;
  for (const element of pattern.elements) {
    if (!ts.isBindingElement(element)) continue;
    const inner = bindingOf(element.name, name);
    if (inner !== undefined) return inner === element.name ? (element.propertyName ?? element.name) : inner;
  }
  return undefined;
}

/** The expressions whose value comes there. */
function sourcesOf(owner: Declared['owner']): readonly ts.Expression[] {
  if (ts.isVariableDeclaration(owner)) {
    const loop = owner.parent.parent;
    if (ts.isForOfStatement(loop)) return [loop.expression];
    return owner.initializer === undefined ? [] : [owner.initializer];
  }
  const made = owner.parent;
  const callback = made.parent;
  // test.each(rows)('...', ({ says }) => ...), rows.map(({ says }) => ...)
  if (ts.isCallExpression(callback) && callback.arguments.some((argument) => argument === made)) {
    const table = callback.expression;
    if (ts.isCallExpression(table)) return [...table.arguments];
    return ts.isPropertyAccessExpression(table) ? [table.expression] : [];
  }
  const name = ts.isVariableDeclaration(callback)
    ? callback.name
    : ts.isFunctionDeclaration(made)
      ? made.name
      : undefined;
  if (name === undefined) return [];
  const index = made.parameters.indexOf(owner as ts.ParameterDeclaration);
  const given: ts.Expression[] = [];
  each(owner.getSourceFile(), (node) => {
    const argument = ts.isCallExpression(node) && node.expression.getText() === name.getText() && node.arguments[index];
    if (argument) given.push(argument);
  });
  return given;
}

/** What stands under the property in any mapping of the expression; the elements of a list that is taken apart are all of them. */
function valuesAt(node: ts.Node, property: string, depth: number): readonly ts.Expression[] {
  const found: ts.Expression[] = [];
  each(node, (inner) => {
    if (ts.isPropertyAssignment(inner) && inner.name.getText().replaceAll(/^'|'$/g, '') === property)
      found.push(inner.initializer);
    if (ts.isIdentifier(inner) && depth > 0 && ts.isExpression(inner) && !ts.isPropertyAssignment(inner.parent)) {
      const declared = declarationOf(inner);
      if (declared !== undefined && ts.isVariableDeclaration(declared.owner) && declared.property === undefined)
        for (const value of sourcesOf(declared.owner))
          if (!isWithin(value, node)) found.push(...valuesAt(value, property, depth - 1));
    }
  });
  return found;
}

const isWithin = (inner: ts.Node, outer: ts.Node): boolean =>
  inner.getSourceFile() === outer.getSourceFile() && inner.pos <= outer.pos && inner.end >= outer.end;
