/**
 * Lines of a function without blank lines, comments and the functions inside it. A function that returns a port is a list
 * of short functions, and each of them is counted by itself.
 */
export const ownLines = {
  meta: {
    type: 'suggestion',
    schema: [{ type: 'object', properties: { max: { type: 'integer' } }, additionalProperties: false }],
    messages: { long: 'This function has {{lines}} lines of its own; it stops at {{max}}. Split it by idea.' },
  },
  create(context) {
    const [{ max }] = context.options;
    const code = linesWithCode(context.sourceCode);
    const open = [];
    const enter = () => open.push({ nested: new Set() });
    const leave = (node) => {
      const { nested } = open.pop();
      const all = range(node.loc).filter((line) => code.has(line));
      const lines = all.filter((line) => !nested.has(line)).length;
      if (lines > max) context.report({ node, messageId: 'long', data: { lines, max } });
      // The first and last line of a nested function are also lines of the one around it.
      for (const line of all.slice(1, -1)) open.at(-1)?.nested.add(line);
    };
    const kinds = ['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression'];
    return Object.fromEntries(
      kinds.flatMap((kind) => [
        [kind, enter],
        [`${kind}:exit`, leave],
      ]),
    );
  },
};

const linesWithCode = ({ ast }) => new Set(ast.tokens.flatMap((token) => range(token.loc)));
const range = ({ start, end }) => Array.from({ length: end.line - start.line + 1 }, (_, index) => start.line + index);
