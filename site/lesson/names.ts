/**
 * Which names a cell defines, and which it takes from elsewhere: JavaScript's scopes, read from the syntax tree. Names in
 * types are gathered apart, since they leave no trace at run time but the type checker wants them.
 */
import { childrenOf, nodeField, nodesField, type SyntaxNode, withoutTypes } from "./syntax.ts";

export interface FreeUse {
  name: string;
  /** Offset of the first use. */
  start: number;
  /** Offset of the first assignment to it, or null. */
  assigned: number | null;
}

export interface Names {
  /** Top-level names in the order of the text. */
  definitions: string[];
  free: FreeUse[];
  /** Top-level names that the cell itself reads or writes as values. */
  used: Set<string>;
  /** Offsets where the text gives a new value to one of its own top-level constants. */
  constantsAssigned: { name: string; start: number }[];
  /** Names of its own interfaces and type aliases. */
  types: string[];
  /** Names that occur in types and are neither type parameters nor the cell's own. */
  typeReferences: string[];
  topLevelAwait: boolean;
}

interface Scope {
  names: Set<string>;
  parent: Scope | null;
  /** `var` and function bodies stop here. */
  isFunction: boolean;
}

interface Reference {
  name: string;
  start: number;
  assigned: boolean;
  scope: Scope;
}

export function readNames(program: SyntaxNode[]): Names {
  const reader = new NameReader();
  return reader.read(program);
}

class NameReader {
  private readonly top: Scope = { names: new Set(), parent: null, isFunction: true };
  private readonly constants = new Set<string>();
  private readonly references: Reference[] = [];
  private readonly types: string[] = [];
  private readonly typeNames = new Set<string>();
  private readonly typeParameters = new Set<string>();
  private functionDepth = 0;
  private topLevelAwait = false;

  read(program: SyntaxNode[]): Names {
    this.visitAll(program, this.top);
    const free = new Map<string, FreeUse>();
    const used = new Set<string>();
    const constantsAssigned: Names["constantsAssigned"] = [];
    for (const { name, start, assigned, scope } of this.references) {
      const owner = ownerOf(name, scope);
      if (owner === this.top) used.add(name);
      if (owner === this.top && assigned && this.constants.has(name)) constantsAssigned.push({ name, start });
      if (owner !== null || name === "arguments") continue;
      const known = free.get(name);
      if (!known) free.set(name, { name, start, assigned: assigned ? start : null });
      else {
        known.start = Math.min(known.start, start);
        if (assigned) known.assigned = Math.min(known.assigned ?? start, start);
      }
    }
    return {
      definitions: [...this.top.names],
      free: [...free.values()],
      used,
      constantsAssigned,
      types: this.types,
      typeReferences: [...this.typeNames].filter(
        (name) => !this.typeParameters.has(name) && !this.types.includes(name) && !this.top.names.has(name),
      ),
      topLevelAwait: this.topLevelAwait,
    };
  }

  private visitAll(nodes: readonly SyntaxNode[], scope: Scope): void {
    for (const node of nodes) this.visit(node, scope);
  }

  private visit(node: SyntaxNode, scope: Scope): void {
    if (node.declare === true) return;
    if (node.type === "ExportNamedDeclaration" && nodeField(node, "source")) return;
    if (/^TS/.test(node.type) && !/^TS(As|Satisfies|NonNull|Instantiation)Expression$/.test(node.type)) {
      this.visitType(node);
      return;
    }
    switch (node.type) {
      case "Identifier":
        this.refer(node, scope, false);
        this.visitAnnotation(node);
        return;
      case "ImportDeclaration":
        if (node.importKind === "type") {
          for (const specifier of nodesField(node, "specifiers")) this.types.push(localName(specifier));
          return;
        }
        for (const specifier of nodesField(node, "specifiers")) {
          if (specifier.importKind === "type") this.types.push(localName(specifier));
          else scope.names.add(localName(specifier));
        }
        return;
      case "ExportSpecifier":
        this.visit(nodeField(node, "local")!, scope);
        return;
      case "VariableDeclaration":
        this.visitVariables(node, scope);
        return;
      case "FunctionDeclaration":
      case "FunctionExpression":
      case "ArrowFunctionExpression":
        this.visitFunction(node, scope);
        return;
      case "ClassDeclaration":
      case "ClassExpression":
        this.visitClass(node, scope);
        return;
      case "BlockStatement":
      case "SwitchStatement":
      case "ForStatement":
      case "ForInStatement":
      case "ForOfStatement":
        this.visitBlock(node, scope);
        return;
      case "StaticBlock":
        this.visitAll(nodesField(node, "body"), { names: new Set(), parent: scope, isFunction: true });
        return;
      case "CatchClause": {
        const inner: Scope = { names: new Set(), parent: scope, isFunction: false };
        const parameter = nodeField(node, "param");
        if (parameter) this.bind(parameter, inner, inner);
        this.visit(nodeField(node, "body")!, inner);
        return;
      }
      case "AssignmentExpression":
        this.assign(nodeField(node, "left")!, scope);
        this.visit(nodeField(node, "right")!, scope);
        return;
      case "UpdateExpression":
        this.assign(nodeField(node, "argument")!, scope);
        return;
      case "AwaitExpression":
        if (this.functionDepth === 0) this.topLevelAwait = true;
        break;
      case "MemberExpression":
        this.visit(nodeField(node, "object")!, scope);
        if (node.computed === true) this.visit(nodeField(node, "property")!, scope);
        return;
      case "Property":
      case "MethodDefinition":
      case "PropertyDefinition":
        this.visitProperty(node, scope);
        return;
      case "LabeledStatement":
        this.visit(nodeField(node, "body")!, scope);
        return;
      case "BreakStatement":
      case "ContinueStatement":
      case "MetaProperty":
        return;
    }
    this.visitAll(childrenOf(node), scope);
  }

  private refer(node: SyntaxNode, scope: Scope, assigned: boolean): void {
    this.references.push({ name: node.name as string, start: node.start, assigned, scope });
  }

  private visitAnnotation(node: SyntaxNode): void {
    const annotation = nodeField(node, "typeAnnotation");
    if (annotation) this.visitType(annotation);
  }

  /** Names in a type: the leftmost part of a dotted name. */
  private visitType(node: SyntaxNode): void {
    if (node.type === "TSInterfaceDeclaration" || node.type === "TSTypeAliasDeclaration") {
      this.types.push(nodeField(node, "id")!.name as string);
    } else if (node.type === "TSTypeParameter") {
      const name = node.name;
      this.typeParameters.add(typeof name === "string" ? name : (nodeField(node, "name")?.name as string));
    }
    for (const field of ["typeName", "exprName", "expression"]) {
      let name = nodeField(node, field);
      while (name && (name.type === "TSQualifiedName" || name.type === "MemberExpression")) {
        name = nodeField(name, "left") ?? nodeField(name, "object");
      }
      if (name?.type === "Identifier") this.typeNames.add(name.name as string);
    }
    for (const child of childrenOf(node)) if (/^TS/.test(child.type)) this.visitType(child);
    for (const parameter of [...nodesField(node, "parameters"), ...nodesField(node, "params")])
      this.visitAnnotation(parameter);
  }

  private visitVariables(node: SyntaxNode, scope: Scope): void {
    if (node.kind === "await using" && this.functionDepth === 0) this.topLevelAwait = true;
    const target = node.kind === "var" ? functionScope(scope) : scope;
    const before = new Set(target.names);
    for (const declarator of nodesField(node, "declarations")) {
      this.bind(nodeField(declarator, "id")!, target, scope);
      const init = nodeField(declarator, "init");
      if (init) this.visit(init, scope);
    }
    if (node.kind === "const" && target === this.top)
      for (const name of target.names) if (!before.has(name)) this.constants.add(name);
  }

  /** The names of a binding pattern go to `target`; defaults and computed keys are read in `scope`. */
  private bind(pattern: SyntaxNode, target: Scope, scope: Scope): void {
    this.visitAnnotation(pattern);
    switch (pattern.type) {
      case "Identifier":
        target.names.add(pattern.name as string);
        return;
      case "ObjectPattern":
        for (const property of nodesField(pattern, "properties")) {
          if (property.type === "RestElement") this.bind(property, target, scope);
          else {
            if (property.computed === true) this.visit(nodeField(property, "key")!, scope);
            this.bind(nodeField(property, "value")!, target, scope);
          }
        }
        return;
      case "ArrayPattern":
        for (const element of nodesField(pattern, "elements")) this.bind(element, target, scope);
        return;
      case "AssignmentPattern":
        this.bind(nodeField(pattern, "left")!, target, scope);
        this.visit(nodeField(pattern, "right")!, scope);
        return;
      case "RestElement":
        this.bind(nodeField(pattern, "argument")!, target, scope);
    }
  }

  /** The left side of an assignment, which may be a pattern. */
  private assign(target: SyntaxNode, scope: Scope): void {
    const bare = withoutTypes(target);
    switch (bare.type) {
      case "Identifier":
        this.refer(bare, scope, true);
        return;
      case "ObjectPattern":
        for (const property of nodesField(bare, "properties")) {
          if (property.type === "RestElement") this.assign(nodeField(property, "argument")!, scope);
          else {
            if (property.computed === true) this.visit(nodeField(property, "key")!, scope);
            this.assign(nodeField(property, "value")!, scope);
          }
        }
        return;
      case "ArrayPattern":
        for (const element of nodesField(bare, "elements")) this.assign(element, scope);
        return;
      case "AssignmentPattern":
        this.assign(nodeField(bare, "left")!, scope);
        this.visit(nodeField(bare, "right")!, scope);
        return;
      case "RestElement":
        this.assign(nodeField(bare, "argument")!, scope);
        return;
      default:
        this.visit(target, scope);
    }
  }

  private visitFunction(node: SyntaxNode, scope: Scope): void {
    const id = nodeField(node, "id");
    let outer = scope;
    if (id && node.type === "FunctionDeclaration") scope.names.add(id.name as string);
    else if (id) outer = { names: new Set([id.name as string]), parent: scope, isFunction: false };
    const inner: Scope = { names: new Set(), parent: outer, isFunction: true };
    this.functionDepth++;
    for (const parameter of nodesField(node, "params")) this.bind(parameter, inner, inner);
    for (const field of ["returnType", "typeParameters"]) {
      const type = nodeField(node, field);
      if (type) this.visitType(type);
    }
    const body = nodeField(node, "body");
    if (body?.type === "BlockStatement") this.visitAll(nodesField(body, "body"), inner);
    else if (body) this.visit(body, inner);
    this.functionDepth--;
  }

  private visitClass(node: SyntaxNode, scope: Scope): void {
    const id = nodeField(node, "id");
    if (id && node.type === "ClassDeclaration") scope.names.add(id.name as string);
    const inner: Scope = { names: new Set(id ? [id.name as string] : []), parent: scope, isFunction: false };
    const superClass = nodeField(node, "superClass");
    if (superClass) this.visit(superClass, inner);
    for (const field of ["typeParameters", "superTypeParameters", "superTypeArguments"]) {
      const type = nodeField(node, field);
      if (type) this.visitType(type);
    }
    for (const type of nodesField(node, "implements")) this.visitType(type);
    this.visitAll(nodesField(nodeField(node, "body")!, "body"), inner);
  }

  private visitProperty(node: SyntaxNode, scope: Scope): void {
    if (node.computed === true) this.visit(nodeField(node, "key")!, scope);
    this.visitAnnotation(node);
    const value = nodeField(node, "value");
    if (!value) return;
    if (node.type !== "PropertyDefinition") {
      this.visit(value, scope);
      return;
    }
    this.functionDepth++;
    this.visit(value, { names: new Set(), parent: scope, isFunction: true });
    this.functionDepth--;
  }

  private visitBlock(node: SyntaxNode, scope: Scope): void {
    const inner: Scope = { names: new Set(), parent: scope, isFunction: false };
    if (node.type === "ForOfStatement" && node.await === true && this.functionDepth === 0) this.topLevelAwait = true;
    if (node.type === "ForOfStatement" || node.type === "ForInStatement") {
      const left = nodeField(node, "left")!;
      if (left.type === "VariableDeclaration") this.visit(left, inner);
      else this.assign(left, inner);
      this.visit(nodeField(node, "right")!, inner);
      this.visit(nodeField(node, "body")!, inner);
      return;
    }
    this.visitAll(childrenOf(node), inner);
  }
}

function localName(specifier: SyntaxNode): string {
  return nodeField(specifier, "local")!.name as string;
}

function functionScope(scope: Scope): Scope {
  let at = scope;
  while (!at.isFunction) at = at.parent!;
  return at;
}

function ownerOf(name: string, scope: Scope): Scope | null {
  for (let at: Scope | null = scope; at; at = at.parent) if (at.names.has(name)) return at;
  return null;
}
