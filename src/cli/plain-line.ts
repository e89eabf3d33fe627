import type { Choices, Command, Option, Work } from "./command.ts";
import { groups } from "./groups.ts";

/** A line that is read: the command, what it gets, and its work. */
export interface PlainLine {
  /** Of the command, from the outermost: "memory", "add". */
  readonly names: readonly string[];
  readonly arguments: readonly Argument[];
  readonly options: Readonly<Record<string, unknown>>;
  run(): void | Promise<void>;
}

/** A list where the command takes several, undefined where one is left out. */
type Argument = string | readonly string[] | undefined;

/**
 * Reads a line as commander would that leaves no question: a command by its whole name, its arguments, and its options by
 * their long names, each once and with its value as a word of its own. To load commander and let it read takes as long as
 * much of what commands do.
 * @param words of a command line, without the program's name
 * @returns undefined where anything is missing, wrong or told another way: commander is there to say what
 */
export async function readPlainLine(words: readonly string[]): Promise<PlainLine | undefined> {
  const [name = "", part] = words;
  const group = Object.values(groups).find((commands) => Object.hasOwn(commands, name));
  const add = await group?.[name]?.();
  if (add === undefined) return undefined;
  const program = new PlainCommand("");
  add(program, part);
  return program.read(words);
}

class PlainCommand implements Command {
  readonly #name: string;
  readonly #arguments: readonly string[];
  readonly #parts: PlainCommand[] = [];
  readonly #options: PlainOption[] = [];
  #isPlain = true;
  #work: Work | undefined;

  /** @param nameAndArguments "bind <address...>" */
  constructor(nameAndArguments: string) {
    const [name = "", ...arguments_] = nameAndArguments.split(" ");
    this.#name = name;
    this.#arguments = arguments_;
  }

  command(nameAndArguments: string): PlainCommand {
    const part = new PlainCommand(nameAndArguments);
    this.#parts.push(part);
    return part;
  }

  summary(): this {
    return this;
  }

  description(): this {
    return this;
  }

  addHelpText(): this {
    return this;
  }

  createArgument(): Choices {
    return new PlainOption("");
  }

  /** Of the arguments that have choices commander tells more. */
  addArgument(): this {
    this.#isPlain = false;
    return this;
  }

  createOption(flags: string): PlainOption {
    return new PlainOption(flags);
  }

  addOption(option: Option): this {
    if (option instanceof PlainOption) this.#options.push(option);
    return this;
  }

  option(flags: string): this {
    return this.addOption(new PlainOption(flags));
  }

  requiredOption(flags: string): this {
    return this.addOption(new PlainOption(flags, true));
  }

  action(work: Work): this {
    this.#work = work;
    return this;
  }

  /** @param names of the commands that this one is a part of */
  read(words: readonly string[], names: readonly string[] = []): PlainLine | undefined {
    if (this.#parts.length > 0) {
      const [name = "", ...rest] = words;
      return this.#parts.find((part) => part.#name === name)?.read(rest, [...names, name]);
    }
    const work = this.#work;
    if (!this.#isPlain || work === undefined) return undefined;
    const options: Record<string, unknown> = {};
    for (const option of this.#options) if (option.value !== undefined) options[option.key] = option.value;
    const operands = this.#readOptions(words, options);
    const arguments_ = operands && this.#readArguments(operands);
    if (arguments_ === undefined) return undefined;
    return { names, arguments: arguments_, options, run: () => work(...arguments_, options, this) };
  }

  /** @returns the words that are none of options */
  #readOptions(words: readonly string[], options: Record<string, unknown>): string[] | undefined {
    const told = new Set<string>();
    const operands: string[] = [];
    for (let index = 0; index < words.length; index++) {
      const word = words[index] ?? "";
      if (!word.startsWith("-")) {
        operands.push(word);
        continue;
      }
      const option = this.#options.find((each) => each.isCalled(word));
      if (option === undefined || told.has(option.key)) return undefined;
      const value = option.read(option.takesValue ? words[++index] : undefined);
      if (value === undefined) return undefined;
      options[option.key] = value;
      told.add(option.key);
    }
    return this.#options.every((option) => !option.isRequired || told.has(option.key)) ? operands : undefined;
  }

  #readArguments(operands: readonly string[]): Argument[] | undefined {
    const isSeveral = (argument: string) => argument.includes("...");
    const least = this.#arguments.filter((argument) => argument.startsWith("<")).length;
    const most = this.#arguments.some(isSeveral) ? Number.POSITIVE_INFINITY : this.#arguments.length;
    if (operands.length < least || operands.length > most) return undefined;
    return this.#arguments.map((argument, index) =>
      isSeveral(argument) ? operands.slice(index) : operands[index],
    );
  }
}

/** What its flags say is read when it is asked for: a line has few of a command's options. */
class PlainOption implements Option {
  readonly isRequired: boolean;
  readonly #flags: string;
  #isPlain = true;
  #default: unknown;
  #choices: readonly string[] | undefined;
  #parse: (text: string) => unknown = (text) => text;

  /** @param flags "-o, --output <file>" */
  constructor(flags: string, isRequired = false) {
    this.#flags = flags;
    this.isRequired = isRequired;
  }

  /** "--no-wait"; undefined where it has a short name alone, which no line is plain with. */
  get long(): string | undefined {
    const at = this.#flags.indexOf("--");
    return at === -1 ? undefined : this.#flags.slice(at).split(" ", 1)[0];
  }

  /** Whether that is its long name. */
  isCalled(word: string): boolean {
    return this.#flags.includes(word) && this.long === word;
  }

  /** As the command's work has it: "wait", "pageSize". */
  get key(): string {
    const { long = "" } = this;
    return camelCase(long.slice(this.#isNegated ? 5 : 2));
  }

  get takesValue(): boolean {
    return this.#flags.endsWith(">");
  }

  /** Without a word of it. */
  get value(): unknown {
    return this.#default ?? (this.#isNegated ? true : undefined);
  }

  get #isNegated(): boolean {
    return this.#flags.includes("--no-");
  }

  choices(values: readonly string[]): this {
    this.#choices = values;
    return this;
  }

  default(value: unknown): this {
    this.#default = value;
    return this;
  }

  argParser(parse: (text: string) => unknown): this {
    this.#parse = parse;
    return this;
  }

  conflicts(): this {
    this.#isPlain = false;
    return this;
  }

  /** @returns undefined where it is not plain what it says */
  read(text: string | undefined): unknown {
    if (!this.#isPlain || this.#flags.endsWith("]") || this.#flags.includes("...")) return undefined;
    if (!this.takesValue) return !this.#isNegated;
    if (text === undefined || text.startsWith("-") || this.#choices?.includes(text) === false)
      return undefined;
    try {
      return this.#parse(text);
    } catch {
      return undefined;
    }
  }
}

/** "page-size" is pageSize. */
function camelCase(name: string): string {
  const [first = "", ...rest] = name.split("-");
  return first + rest.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
}
