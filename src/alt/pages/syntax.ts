/** Nodes of a program's syntax tree (ESTree with JSX, as Babel gives it), as far as pictures ask for them. */

export interface SyntaxNode {
  readonly type: string;
  /** Places in the text. */
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

export function isNode(value: unknown): value is SyntaxNode {
  return (
    typeof value === 'object' &&
    value !== null &&
    'type' in value &&
    typeof value.type === 'string' &&
    'start' in value &&
    typeof value.start === 'number'
  );
}

export function nodesOf(value: unknown): SyntaxNode[] {
  return Array.isArray(value) ? value.filter(isNode) : [];
}

/** Fields that hold no part of the program. */
const asides = new Set([
  'leadingComments',
  'trailingComments',
  'innerComments',
  'comments',
  'tokens',
]);

/** The nodes directly below one. */
export function nodesBelow(node: SyntaxNode): SyntaxNode[] {
  return Object.entries(node).flatMap(([name, value]) => {
    if (asides.has(name)) return [];
    return isNode(value) ? [value] : nodesOf(value);
  });
}

/** The name of an element or attribute: img, motion.img, xlink:href. */
export function nameIn(node: unknown): string {
  if (!isNode(node)) return '';
  switch (node.type) {
    case 'JSXMemberExpression':
      return `${nameIn(node.object)}.${nameIn(node.property)}`;
    case 'JSXNamespacedName':
      return `${nameIn(node.namespace)}:${nameIn(node.name)}`;
    default:
      return typeof node.name === 'string' ? node.name : '';
  }
}

/** The text that a value stands for, whatever runs; undefined where only the program knows. */
export function textIn(node: unknown): string | undefined {
  if (!isNode(node)) return undefined;
  if (node.type === 'JSXExpressionContainer') return textIn(node.expression);
  if (node.type === 'BooleanLiteral') return String(node.value);
  if (node.type === 'StringLiteral') return typeof node.value === 'string' ? node.value : undefined;
  if (node.type !== 'TemplateLiteral') return undefined;
  const [only, ...more] = nodesOf(node.quasis);
  const { value } = only ?? {};
  const isPlain = more.length === 0 && typeof value === 'object' && value !== null;
  return isPlain && 'cooked' in value && typeof value.cooked === 'string'
    ? value.cooked
    : undefined;
}

/** Names of picture files. */
const pictureFile = /\.(?:png|jpe?g|webp|gif|avif|hei[cf]|svg|bmp|tiff?)$/i;

/** Picture files that a program imports, by the names that it gives them. */
export function importedPictures(root: SyntaxNode): Map<string, string> {
  const files = new Map<string, string>();
  const program = isNode(root.program) ? root.program : root;
  for (const statement of nodesOf(program.body)) {
    const file = statement.type === 'ImportDeclaration' ? textIn(statement.source) : undefined;
    if (file === undefined || !pictureFile.test(file)) continue;
    for (const specifier of nodesOf(statement.specifiers))
      if (specifier.type === 'ImportDefaultSpecifier') files.set(nameIn(specifier.local), file);
  }
  return files;
}

/** The picture file that an expression stands for: `hero`, `hero.src`, `require('./hero.jpg')`. */
export function pictureIn(node: unknown, files: ReadonlyMap<string, string>): string | undefined {
  if (!isNode(node)) return undefined;
  if (node.type === 'JSXExpressionContainer') return pictureIn(node.expression, files);
  if (node.type === 'Identifier') return files.get(nameIn(node));
  if (node.type === 'MemberExpression')
    return ['src', 'default'].includes(nameIn(node.property))
      ? pictureIn(node.object, files)
      : undefined;
  if (node.type !== 'CallExpression' || nameIn(node.callee) !== 'require') return undefined;
  const file = textIn(nodesOf(node.arguments)[0]);
  return file !== undefined && pictureFile.test(file) ? file : undefined;
}
