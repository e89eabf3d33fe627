import type { AnyNode, MemberNode, ObjectNode, ValueNode } from "@humanwhocodes/momoa";
import type { JsonPath, Place } from "../errors/index.ts";

/** Offsets into a text, as [start, end). */
export type Span = readonly [start: number, end: number];

/** What a profile's text says where. */
export class SourceText {
  readonly #file: string;
  readonly #text: string;

  constructor(file: string, text: string) {
    this.#file = file;
    this.#text = text;
  }

  /** The place of a span; of a span over several lines, its first character. */
  place([start, end]: Span): Place {
    const before = this.#text.slice(0, start);
    const lineStart = Math.max(before.lastIndexOf("\n"), before.lastIndexOf("\r")) + 1;
    const lineLength = this.#text.slice(lineStart).search(/[\r\n]|$/);
    const column = start - lineStart + 1;
    const oneLine = end - lineStart <= lineLength;
    return {
      file: this.#file,
      line: before.split(/\r\n|\r|\n/).length,
      column,
      endColumn: oneLine ? Math.max(column + 1, end - lineStart + 1) : column + 1,
      text: this.#text.slice(lineStart, lineStart + lineLength),
    };
  }

  isOneLine([start, end]: Span): boolean {
    return !/[\r\n]/.test(this.#text.slice(start, end));
  }
}

/** Spans of values and keys in a parsed text. */
export class ValueTree {
  readonly #root: ValueNode;
  readonly #source: SourceText;

  constructor(root: ValueNode, source: SourceText) {
    this.#root = root;
    this.#source = source;
  }

  /**
   * The span of a value; of one over several lines, that of its key. Of something absent, the key of the nearest
   * object that is there.
   */
  valueSpan(path: JsonPath): Span {
    const { member, value, steps } = this.#find(path);
    const span = spanOf(value);
    if (steps === path.length && this.#source.isOneLine(span)) return span;
    return member === undefined ? [span[0], span[0] + 1] : spanOf(member.name);
  }

  /** The span of a key; the last one when it is there twice. */
  keySpan(path: JsonPath): Span {
    const { member, steps } = this.#find(path);
    return member !== undefined && steps === path.length ? spanOf(member.name) : this.valueSpan(path);
  }

  #find(path: JsonPath): { member: MemberNode | undefined; value: ValueNode; steps: number } {
    let value = this.#root;
    let member: MemberNode | undefined;
    for (const [steps, step] of path.entries()) {
      if (value.type === "Object") {
        const next = value.members.findLast(({ name }) => keyText(name) === String(step));
        if (next === undefined) return { member, value, steps };
        member = next;
        value = next.value;
      } else {
        const next = value.type === "Array" ? value.elements[Number(step)] : undefined;
        if (next === undefined) return { member, value, steps };
        member = undefined;
        value = next.value;
      }
    }
    return { member, value, steps: path.length };
  }

  /** Every key that its object has already, in the order of the text. */
  repeatedKeys(): { path: JsonPath; first: Span; again: Span }[] {
    const repeated: { path: JsonPath; first: Span; again: Span }[] = [];
    const visit = (value: ValueNode, path: JsonPath) => {
      if (value.type === "Array") {
        for (const [index, element] of value.elements.entries()) visit(element.value, [...path, index]);
      } else if (value.type === "Object") visitMembers(value, path);
    };
    const visitMembers = ({ members }: ObjectNode, path: JsonPath) => {
      const seen = new Map<string, Span>();
      for (const { name, value } of members) {
        const key = keyText(name);
        const first = seen.get(key);
        if (first === undefined) seen.set(key, spanOf(name));
        else repeated.push({ path: [...path, key], first, again: spanOf(name) });
        visit(value, [...path, key]);
      }
    };
    visit(this.#root, []);
    return repeated;
  }
}

function keyText(name: MemberNode["name"]): string {
  return name.type === "String" ? name.value : name.name;
}

function spanOf(node: AnyNode): Span {
  return [node.loc.start.offset, node.loc.end.offset];
}
