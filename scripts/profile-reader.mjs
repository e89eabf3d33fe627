// Writes the schema of profiles out as plain code: building the schema costs a command more than all that it then does.

/**
 * The text of a module that takes the place of src/profile/reader.ts: a function that reads what the schema accepts, to the same value, and answers
 * undefined for anything else, which the schema itself then tells about.
 *
 * @param schema a zod schema of objects, arrays, records, unions, texts, numbers and values made by functions of units
 * @param readers a zod registry: the names of these functions
 * @param units from where the module imports them
 * @throws Error for a kind of schema or check that it does not know, so that none is left out
 */
export function profileReader(schema, readers, units) {
  const functions = [];
  const constants = [];
  const names = new Map();
  const used = new Set();

  const constant = (text) => {
    const known = constants.indexOf(text);
    return `c${known === -1 ? constants.push(text) - 1 : known}`;
  };

  /** The name of the function that reads a schema; made when first asked for, as schemas may contain themselves. */
  const reader = (part) => {
    const known = names.get(part);
    if (known !== undefined) return known;
    const name = `r${names.size}`;
    names.set(part, name);
    const at = functions.push("") - 1;
    functions[at] = `function ${name}(value) {\n${body(part)
      .split("\n")
      .map((line) => `  ${line}`)
      .join("\n")}\n}`;
    return name;
  };

  const body = (part) => {
    const { def } = part._zod;
    const kind = kinds[def.type];
    if (kind === undefined) throw new Error(`no code for a schema of the kind "${def.type}"`);
    return kind(def, part);
  };

  const wrongUnless = (condition) => `if (!(${condition})) return wrong;`;

  /** Conditions of the checks on a value or its length. */
  const checks = (def, quantity, formats) =>
    (def.checks ?? []).map((each) => {
      const check = each._zod.def;
      switch (check.check) {
        case "greater_than":
          return `${quantity} ${check.inclusive ? ">=" : ">"} ${check.value}`;
        case "less_than":
          return `${quantity} ${check.inclusive ? "<=" : "<"} ${check.value}`;
        case "min_length":
          return `value.length >= ${check.minimum}`;
        case "max_length":
          return `value.length <= ${check.maximum}`;
        case "length_equals":
          return `value.length === ${check.length}`;
        default:
          return formats(check);
      }
    });

  const unknownCheck = (check) => {
    throw new Error(`no code for the check "${check.check}" ${check.format ?? ""}`);
  };
  const textFormat = (check) => {
    if (check.check !== "string_format" || !check.pattern) return unknownCheck(check);
    return `${constant(String(check.pattern))}.test(value)`;
  };
  const numberFormat = (check) => {
    if (check.check !== "number_format" || check.format !== "safeint") return unknownCheck(check);
    return "Number.isSafeInteger(value)";
  };

  const kinds = {
    object(def) {
      if (def.catchall?._zod.def.type !== "never") throw new Error("an object that takes unknown keys");
      const entries = Object.entries(def.shape);
      const keys = constant(`new Set(${JSON.stringify(entries.map(([key]) => key))})`);
      return [
        wrongUnless("isObject(value)"),
        `for (const key of Object.keys(value)) if (!${keys}.has(key)) return wrong;`,
        "const result = {};",
        "let part;",
        ...entries.flatMap(([key, part]) => {
          const name = JSON.stringify(key);
          const isOptional = part._zod.def.type === "optional";
          const read = (inner) => [
            `part = ${reader(inner)}(value[${name}]);`,
            "if (part === wrong) return wrong;",
            `result[${name}] = part;`,
          ];
          if (!isOptional) return read(part);
          return [
            `if (value[${name}] !== undefined) {`,
            ...read(part._zod.def.innerType).map((line) => `  ${line}`),
            "}",
          ];
        }),
        "return result;",
      ].join("\n");
    },
    array(def) {
      return [
        wrongUnless(["Array.isArray(value)", ...checks(def, "value.length", unknownCheck)].join(" && ")),
        "const result = [];",
        "for (const each of value) {",
        `  const part = ${reader(def.element)}(each);`,
        "  if (part === wrong) return wrong;",
        "  result.push(part);",
        "}",
        "return result;",
      ].join("\n");
    },
    record(def) {
      return [
        wrongUnless("isObject(value)"),
        "const result = {};",
        "for (const key of Object.keys(value)) {",
        `  if (${reader(def.keyType)}(key) === wrong) return wrong;`,
        `  const part = ${reader(def.valueType)}(value[key]);`,
        "  if (part === wrong) return wrong;",
        "  result[key] = part;",
        "}",
        "return result;",
      ].join("\n");
    },
    union(def) {
      const [first, ...more] = def.options.map((option) => `${reader(option)}(value)`);
      return [
        `let part = ${first};`,
        ...more.map((option) => `if (part === wrong) part = ${option};`),
        "return part;",
      ].join("\n");
    },
    optional: (def) => `return value === undefined ? undefined : ${reader(def.innerType)}(value);`,
    default: (def) =>
      `return value === undefined ? ${JSON.stringify(def.defaultValue)} : ${reader(def.innerType)}(value);`,
    prefault: (def) =>
      `return ${reader(def.innerType)}(value === undefined ? ${JSON.stringify(def.defaultValue)} : value);`,
    string(def) {
      const own = def.check === undefined ? [] : [textFormat(def)];
      return [
        wrongUnless(
          ['typeof value === "string"', ...own, ...checks(def, "value.length", textFormat)].join(" && "),
        ),
        "return value;",
      ].join("\n");
    },
    number(def) {
      const own = def.check === undefined ? ["Number.isFinite(value)"] : [numberFormat(def)];
      return [
        wrongUnless(
          ['typeof value === "number"', ...own, ...checks(def, "value", numberFormat)].join(" && "),
        ),
        "return value;",
      ].join("\n");
    },
    boolean: () => `${wrongUnless('typeof value === "boolean"')}\nreturn value;`,
    literal: (def) =>
      `${wrongUnless(def.values.map((each) => `value === ${JSON.stringify(each)}`).join(" || "))}\nreturn value;`,
    enum: (def) =>
      `${wrongUnless(
        Object.values(def.entries)
          .map((each) => `value === ${JSON.stringify(each)}`)
          .join(" || "),
      )}\nreturn value;`,
    pipe(def, part) {
      const name = readers.get(part)?.name;
      if (name === undefined) throw new Error("a transformation that names no function");
      used.add(name);
      return [
        `if (${reader(def.in)}(value) === wrong) return wrong;`,
        `const result = ${name}(value);`,
        "return result === undefined ? wrong : result;",
      ].join("\n");
    },
  };

  const start = reader(schema);
  return `import { ${[...used].sort().join(", ")} } from ${JSON.stringify(units)};

export function readProfile(value) {
  const result = ${start}(value);
  return result === wrong ? undefined : result;
}

const wrong = Symbol();
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
${constants.map((text, at) => `const c${at} = ${text};`).join("\n")}

${functions.join("\n\n")}
`;
}
