// Monaco ships these modules without declarations of their own.
declare module "monaco-editor/internal/common/initialize" {
  export function initialize(create: (context: never, createData: unknown) => object): void;
}

declare module "monaco-editor/languages/features/typescript/tsWorker" {
  export class TypeScriptWorker {
    constructor(context: unknown, createData: unknown);
    _getScriptText(file: string): string | undefined;
    getScriptVersion(file: string): string;
    getSyntacticDiagnostics(file: string): Promise<{ start?: number }[]>;
    getSemanticDiagnostics(file: string): Promise<{ start?: number }[]>;
    getSuggestionDiagnostics(file: string): Promise<{ start?: number }[]>;
  }
}
