import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The TypeScript types of the program, read by the compiler itself. */
export interface Types {
  readonly checker: ts.TypeChecker;
  /** The type that a source file exports under this name. `file` counts from the project's root. */
  exported(file: string, name: string): ts.Type;
}

export function loadTypes(...files: readonly string[]): Types {
  const config = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(
    { ...config.config, include: [] },
    ts.sys,
    dirname(`${root}x`),
  );
  const program = ts.createProgram(
    files.map((file) => root + file),
    { ...options, types: [] },
  );
  const checker = program.getTypeChecker();
  return {
    checker,
    exported(file, name) {
      const source = program.getSourceFile(root + file);
      const module = source && checker.getSymbolAtLocation(source);
      const symbol = module && checker.getExportsOfModule(module).find((each) => each.name === name);
      if (symbol === undefined) throw new Error(`${file} exports no ${name}`);
      return checker.getDeclaredTypeOfSymbol(symbol);
    },
  };
}

export interface Property {
  readonly name: string;
  readonly optional: boolean;
  /** As written: without the undefined that the compiler adds to an optional member. */
  readonly type: ts.Type;
}

/** The members of a type by name; those of an index signature are not among them. */
export function propertiesOf(checker: ts.TypeChecker, type: ts.Type): Property[] {
  return checker.getPropertiesOfType(type).map((symbol) => {
    const written = symbol.valueDeclaration;
    const { name } = symbol;
    const optional = (symbol.flags & ts.SymbolFlags.Optional) !== 0;
    const type =
      optional && written !== undefined && ts.isPropertySignature(written) && written.type !== undefined
        ? checker.getTypeFromTypeNode(written.type)
        : checker.getTypeOfSymbol(symbol);
    return { name, optional, type };
  });
}

/** `A | B` as its parts; boolean is one part. */
export function partsOf(type: ts.Type): ts.Type[] {
  return type.isUnion() && (type.flags & ts.TypeFlags.Boolean) === 0 ? type.types : [type];
}
