/**
 * Takes the types out of a cell by writing spaces over them, so that every other character keeps its line and column.
 * What a semicolon would be needed for when a type disappears (`type A = B` before a line that starts with a bracket) gets
 * one in the place of a blanked character. TypeScript that is more than types (enum, namespace …) is refused with the way
 * out, as TypeScript's own `erasableSyntaxOnly` does.
 */
import {
  CellSyntaxError,
  childrenOf,
  nodeField,
  nodesField,
  placeOf,
  type SyntaxNode,
  skipTrivia,
  wordAt,
} from "./syntax.ts";

const TYPE_NODES = new Set(["TSTypeAnnotation", "TSTypeParameterDeclaration", "TSTypeParameterInstantiation"]);
const TYPE_STATEMENTS = new Set(["TSInterfaceDeclaration", "TSTypeAliasDeclaration", "TSDeclareFunction"]);
const TYPE_MEMBERS = new Set([
  "TSDeclareMethod",
  "TSIndexSignature",
  "TSAbstractMethodDefinition",
  "TSAbstractPropertyDefinition",
]);
const MODIFIERS = new Set(["public", "private", "protected", "readonly", "override", "abstract", "declare"]);
/** Statements that a line break may end, and that then end in the blank left by a type. */
const BREAKABLE = new Set([
  "VariableDeclaration",
  "ExpressionStatement",
  "ReturnStatement",
  "ThrowStatement",
  "PropertyDefinition",
  "ExportDefaultDeclaration",
  "DoWhileStatement",
]);

const REFUSED: Record<string, { what: string; instead: string }> = {
  TSEnumDeclaration: { what: "an enum", instead: 'write a constant object: const Color = { Red: "red" } as const' },
  TSModuleDeclaration: {
    what: "a namespace",
    instead: "write plain constants and functions, or an object that holds them",
  },
  TSParameterProperty: {
    what: "a parameter property",
    instead: "declare the field in the class and assign it in the constructor: this.size = size",
  },
  Decorator: { what: "a decorator", instead: "call the function yourself: const Net = decorate(class { … })" },
  TSTypeAssertion: { what: "an assertion in angle brackets", instead: "write `value as Type`" },
  TSImportEqualsDeclaration: { what: "import … = …", instead: 'write import * as torch from "torch"' },
  TSExportAssignment: { what: "export = …", instead: "leave it out: every top-level name of a cell is visible below" },
  AccessorProperty: { what: "the accessor keyword", instead: "write a getter and a setter" },
  TSExternalModuleReference: { what: "require(…)", instead: 'write import * as torch from "torch"' },
};

/** Spaces over a part of the text, line breaks kept. */
export class Blanks {
  readonly source: string;
  private readonly characters: string[];
  private readonly ends = new Set<number>();
  private readonly open = new Set<SyntaxNode>();

  constructor(source: string) {
    this.source = source;
    this.characters = source.split("");
  }

  blank(start: number, end: number): void {
    for (let i = start; i < end; i++) {
      if (!/[\n\r\u2028\u2029]/.test(this.characters[i]!)) this.characters[i] = " ";
    }
    this.ends.add(end);
  }

  /** A whole statement or member: its first character becomes a semicolon, so that its neighbours cannot grow together. */
  blankStatement(start: number, end: number): void {
    this.blank(start, end);
    this.put(start, ";");
  }

  put(position: number, character: string): void {
    this.characters[position] = character;
  }

  /** A declaration in the head of a `for` loop gets no semicolon of its own. */
  keepOpen(node: SyntaxNode): void {
    this.open.add(node);
  }

  /** Whether a statement's last characters were a type. */
  endsInBlank(statement: SyntaxNode): boolean {
    return this.ends.has(statement.end) && !this.open.has(statement);
  }

  toString(): string {
    return this.characters.join("");
  }
}

function isDeclared(node: SyntaxNode): boolean {
  return node.declare === true;
}

/** Statements that are types and nothing else. */
export function isTypeStatement(node: SyntaxNode): boolean {
  if (TYPE_STATEMENTS.has(node.type) || isDeclared(node)) return true;
  if (node.type === "ImportDeclaration") return node.importKind === "type";
  if (node.type === "ExportNamedDeclaration" || node.type === "ExportDefaultDeclaration") {
    if (node.type === "ExportNamedDeclaration" && node.exportKind === "type") return true;
    const declaration = nodeField(node, "declaration");
    return declaration !== null && isTypeStatement(declaration);
  }
  return false;
}

/** Blanks every type below the statements. @throws CellSyntaxError for TypeScript that cannot be blanked. */
export function eraseTypes(statements: SyntaxNode[], blanks: Blanks): void {
  for (const statement of statements) erase(statement, blanks);
}

function refuse(node: SyntaxNode, source: string): never {
  const { what, instead } = REFUSED[node.type]!;
  throw new CellSyntaxError(
    `a cell cannot hold ${what}: types are taken out, never translated`,
    placeOf(source, node.start),
    instead,
  );
}

function erase(node: SyntaxNode, blanks: Blanks): void {
  const { source } = blanks;
  if (TYPE_NODES.has(node.type)) {
    blanks.blank(node.start, node.end);
    return;
  }
  if (isTypeStatement(node)) {
    blanks.blankStatement(node.start, node.end);
    return;
  }
  if (Object.hasOwn(REFUSED, node.type)) refuse(node, source);

  switch (node.type) {
    case "TSAsExpression":
    case "TSSatisfiesExpression": {
      const expression = nodeField(node, "expression")!;
      erase(expression, blanks);
      blanks.blank(afterClosing(source, expression.end), node.end);
      return;
    }
    case "TSNonNullExpression":
      erase(nodeField(node, "expression")!, blanks);
      blanks.blank(node.end - 1, node.end);
      return;
    case "ClassDeclaration":
    case "ClassExpression":
      eraseClassHead(node, blanks);
      break;
    case "ArrowFunctionExpression":
      keepArrowTogether(node, blanks);
      break;
    case "VariableDeclarator":
      if (node.definite === true) blankMark(nodeField(node, "id")!, "!", blanks);
      break;
    case "Identifier":
      if (node.optional === true) blankMark(node, "?", blanks);
      break;
    case "ImportDeclaration":
      return;
  }
  const head = nodeField(node, "init") ?? nodeField(node, "left");
  if (head && /^For(In|Of)?Statement$/.test(node.type)) blanks.keepOpen(head);
  if (Array.isArray(node.params)) eraseThisParameter(node, blanks);
  for (const child of childrenOf(node)) {
    if (node.type === "ClassDeclaration" || node.type === "ClassExpression") {
      if (nodesField(node, "implements").includes(child)) continue;
    }
    if (node.type === "ClassBody") eraseMember(child, blanks);
    else erase(child, blanks);
  }
  if (node.type === "ArrowFunctionExpression") moveArrowParenthesis(node, blanks);
  endStatement(node, blanks);
}

/** From the end of an expression over closing parentheses: where its `as`, `satisfies` or `implements` starts. */
function afterClosing(source: string, end: number): number {
  let at = skipTrivia(source, end);
  while (source[at] === ")") at = skipTrivia(source, at + 1);
  return at;
}

/** `x?` of a parameter or `x!` of a declaration. */
function blankMark(identifier: SyntaxNode, mark: "?" | "!", blanks: Blanks): void {
  const { source } = blanks;
  const at = skipTrivia(source, identifier.start + wordAt(source, identifier.start).length);
  if (source[at] === mark) blanks.blank(at, at + 1);
}

function eraseThisParameter(node: SyntaxNode, blanks: Blanks): void {
  const [first, second] = nodesField(node, "params");
  if (first?.type !== "Identifier" || first.name !== "this") return;
  const { source } = blanks;
  const comma = skipTrivia(source, first.end);
  blanks.blank(first.start, second ? second.start : source[comma] === "," ? comma + 1 : first.end);
}

function eraseClassHead(node: SyntaxNode, blanks: Blanks): void {
  const { source } = blanks;
  if (node.abstract === true) blanks.blank(node.start, node.start + "abstract".length);
  if (nodesField(node, "implements").length === 0) return;
  const before =
    nodeField(node, "superTypeParameters") ??
    nodeField(node, "superTypeArguments") ??
    nodeField(node, "superClass") ??
    nodeField(node, "typeParameters") ??
    nodeField(node, "id");
  const body = nodeField(node, "body")!;
  const from = before ? afterClosing(source, before.end) : skipTrivia(source, node.start + "class".length);
  blanks.blank(from, body.start);
}

function eraseMember(member: SyntaxNode, blanks: Blanks): void {
  const { source } = blanks;
  const value = nodeField(member, "value");
  const bodyless =
    value !== null &&
    (value.type === "TSEmptyBodyFunctionExpression" || (member.type === "MethodDefinition" && !value.body));
  if (TYPE_MEMBERS.has(member.type) || member.abstract === true || isDeclared(member) || bodyless) {
    blanks.blankStatement(member.start, member.end);
    return;
  }
  if (Object.hasOwn(REFUSED, member.type)) refuse(member, source);
  const key = nodeField(member, "key");
  if (key) {
    eraseModifiers(member, key, blanks);
    if (member.optional === true || member.definite === true) {
      let at = skipTrivia(source, key.end);
      if (member.computed === true && source[at] === "]") at = skipTrivia(source, at + 1);
      if (source[at] === "?" || source[at] === "!") blanks.blank(at, at + 1);
    }
  }
  erase(member, blanks);
}

function eraseModifiers(member: SyntaxNode, key: SyntaxNode, blanks: Blanks): void {
  const { source } = blanks;
  let at = member.start;
  while (at < key.start) {
    const word = wordAt(source, at);
    if (word === "accessor") refuse({ ...member, type: "AccessorProperty" }, source);
    if (!MODIFIERS.has(word) && !["static", "async", "get", "set"].includes(word)) return;
    if (MODIFIERS.has(word)) {
      blanks.blank(at, at + word.length);
      // `a = 1` above `private [key] = 2`: without the modifier the two lines would be one expression.
      if (at === member.start) blanks.put(at, ";");
    }
    at = skipTrivia(source, at + word.length);
  }
}

/** `async <\nT\n>(x) =>`: the parenthesis must stay on the line of `async`. */
function keepArrowTogether(node: SyntaxNode, blanks: Blanks): void {
  const typeParameters = nodeField(node, "typeParameters");
  if (!typeParameters || node.async !== true) return;
  const { source } = blanks;
  const open = skipTrivia(source, typeParameters.end);
  if (!source.slice(typeParameters.start, open).includes("\n")) return;
  blanks.blank(typeParameters.start, typeParameters.end);
  blanks.put(typeParameters.start, "(");
  blanks.put(open, " ");
  node.typeParameters = null;
}

/** `(x): {\n …\n} =>`: the arrow must stay on the line of the closing parenthesis, so that moves to the type's last character. */
function moveArrowParenthesis(node: SyntaxNode, blanks: Blanks): void {
  const returnType = nodeField(node, "returnType");
  const { source } = blanks;
  if (!returnType || !source.slice(returnType.start, returnType.end).includes("\n")) return;
  let close = returnType.start - 1;
  const parameters = nodesField(node, "params");
  const last = parameters.at(-1);
  if (last) {
    close = skipTrivia(source, last.end);
    if (source[close] === ",") close = skipTrivia(source, close + 1);
  } else {
    while (source[close] !== ")") close--;
  }
  blanks.put(close, " ");
  blanks.put(returnType.end - 1, ")");
}

/** A statement that a line break ended, whose last characters were a type, needs its semicolon in writing. */
function endStatement(node: SyntaxNode, blanks: Blanks): void {
  if (!BREAKABLE.has(node.type) || blanks.source[node.end - 1] === ";" || !blanks.endsInBlank(node)) return;
  blanks.put(node.end - 1, ";");
}
