/** The public modules and the files behind them, as engine/public.ts lists them. */
import { readFileSync } from "node:fs";
import ts from "typescript";

const folder = new URL("../", import.meta.url);

/** Module name ("torch/nn") → file, relative to engine/ ("nn/index.ts"). */
export function publicModules(): Map<string, string> {
  const source = ts.createSourceFile(
    "public.ts",
    readFileSync(new URL("public.ts", folder), "utf8"),
    ts.ScriptTarget.Latest,
    true,
  );
  const files = new Map<string, string>();
  const modules = new Map<string, string>();
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) && node.importClause?.namedBindings) {
      const bindings = node.importClause.namedBindings;
      const file = (node.moduleSpecifier as ts.StringLiteral).text.replace(/^\.\//, "");
      if (ts.isNamespaceImport(bindings)) files.set(bindings.name.text, file);
    } else if (ts.isPropertyAssignment(node) && ts.isIdentifier(node.initializer)) {
      record(node.name, node.initializer.text);
    } else if (ts.isShorthandPropertyAssignment(node)) {
      record(node.name, node.name.text);
    }
    ts.forEachChild(node, visit);
  };
  const record = (name: ts.PropertyName, binding: string): void => {
    const file = files.get(binding);
    if (file && (ts.isIdentifier(name) || ts.isStringLiteral(name))) modules.set(name.text, file);
  };
  visit(source);
  if (!modules.has("torch"))
    throw new Error('engine/public.ts lists no module "torch" that it imports with import * as');
  return modules;
}
