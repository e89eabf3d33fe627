import { SaxesParser } from "saxes";

/** An element with what is in it, and where it begins. */
export interface XmlNode {
  /** Its name; with the namespace before it unless that is none: "{http://libvirt.org/schemas/domain/qemu/1.0}arg". */
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlNode[];
  /** The text directly in it, without blanks around it. */
  readonly text: string;
  readonly line: number;
  readonly column: number;
}

export interface XmlProblem {
  readonly line: number;
  readonly column: number;
  readonly found: string;
}

/** A domain of a thousand devices has 300 KB. */
const largestCharacters = 4 * 2 ** 20;
const deepest = 64;
const mostElements = 100_000;

/**
 * Reads a document strictly. A document type is refused, and with it every entity of the document's own, so that nothing
 * is read from elsewhere and nothing grows.
 *
 * @see https://www.w3.org/TR/xml/
 * @see https://www.w3.org/TR/xml-names/
 */
export function readXml(text: string): XmlNode | XmlProblem {
  if (text.length > largestCharacters) {
    return {
      line: 1,
      column: 1,
      found: `${text.length} characters, and ${largestCharacters} are read at most`,
    };
  }
  const parser = new SaxesParser({ xmlns: true });
  const outermost: XmlNode[] = [];
  const open: { node: Writable; text: string }[] = [];
  let problem: XmlProblem | undefined;
  let count = 0;
  let begin = { line: 1, column: 1 };
  const fail = (found: string, { line, column } = { line: parser.line, column: parser.column }) => {
    problem ??= { line, column: Math.max(1, column), found };
  };
  parser.on("error", (error) => fail(error.message.replace(/^\S*\d+:\d+: /, "")));
  parser.on("doctype", () =>
    fail("a document type, which a domain does not need and which could name other files"),
  );
  parser.on("opentagstart", ({ name }) => {
    begin = { line: parser.line, column: Math.max(1, parser.column - name.length - 1) };
  });
  parser.on("opentag", ({ local, uri, attributes }) => {
    if (problem) return;
    count++;
    if (count > mostElements) fail(`more than ${mostElements} elements`);
    if (open.length >= deepest) fail(`elements in each other ${deepest} deep`);
    const own = Object.values(attributes).filter(
      ({ prefix, name }) => prefix !== "xmlns" && name !== "xmlns",
    );
    const node: Writable = {
      name: uri === "" ? local : `{${uri}}${local}`,
      attributes: new Map(
        own.map(({ uri: of, local: key, value }) => [of === "" ? key : `{${of}}${key}`, value]),
      ),
      children: [],
      text: "",
      ...begin,
    };
    (open.at(-1)?.node.children ?? outermost).push(node);
    open.push({ node, text: "" });
  });
  const takeText = (piece: string) => {
    const top = open.at(-1);
    if (top) top.text += piece;
  };
  parser.on("text", takeText);
  parser.on("cdata", takeText);
  parser.on("closetag", () => {
    const top = open.pop();
    if (top) top.node.text = top.text.trim();
  });
  // In pieces, so that a document that is wrong early is not read to its end.
  for (let at = 0; at < text.length && !problem; at += pieceCharacters) {
    parser.write(text.slice(at, at + pieceCharacters));
  }
  if (!problem) parser.close();
  const [root] = outermost;
  return problem ?? root ?? { line: 1, column: 1, found: "no element" };
}

/** Small, since the parser's time grows with the square of how deep elements are in each other. */
const pieceCharacters = 4096;

type Writable = { -readonly [Key in keyof XmlNode]: XmlNode[Key] } & { children: XmlNode[] };
