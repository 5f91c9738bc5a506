import ts from "typescript";

/** What one module asks of the rest of the world. */
export interface Names {
  /** Specifiers of every import, export-from, import type, dynamic import and require, in order. */
  imports: string[];
  /** What may name a global: identifiers that are neither property names nor keys, and `a.b` for each such `a`. */
  globals: Set<string>;
}

/** Reads a TypeScript source. A dynamic import of anything but a literal is reported as `import(?)`. */
export function readNames(source: string): Names {
  const names: Names = { imports: [], globals: new Set() };
  visit(ts.createSourceFile("module.ts", source, ts.ScriptTarget.ES2022, true), names);
  return names;
}

function visit(node: ts.Node, names: Names): void {
  const specifier = importSpecifier(node);
  if (specifier !== null)
    names.imports.push(ts.isStringLiteralLike(specifier) ? specifier.text : "import(?)");
  if (ts.isIdentifier(node) && !isProperty(node)) names.globals.add(node.text);
  if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression))
    names.globals.add(`${node.expression.text}.${node.name.text}`);
  if (ts.isMetaProperty(node)) names.globals.add("import.meta");
  ts.forEachChild(node, (child) => visit(child, names));
}

function importSpecifier(node: ts.Node): ts.Node | null {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return node.moduleSpecifier ?? null;
  if (ts.isExternalModuleReference(node)) return node.expression;
  if (ts.isImportTypeNode(node)) return ts.isLiteralTypeNode(node.argument) ? node.argument.literal : node;
  if (ts.isCallExpression(node) && isLoader(node.expression)) return node.arguments[0] ?? node;
  return null;
}

function isLoader(callee: ts.Expression): boolean {
  if (ts.isIdentifier(callee)) return callee.text === "require";
  return callee.kind === ts.SyntaxKind.ImportKeyword;
}

/** True for `b` in `a.b`, `{ b: 1 }`, and for the name of a member of a class, interface or type. */
function isProperty(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent) || ts.isMetaProperty(parent)) return parent.name === node;
  if (ts.isQualifiedName(parent)) return parent.right === node;
  if (ts.isBindingElement(parent)) return parent.propertyName === node;
  if (ts.isPropertyAssignment(parent) || ts.isClassElement(parent) || ts.isTypeElement(parent))
    return parent.name === node;
  return false;
}
