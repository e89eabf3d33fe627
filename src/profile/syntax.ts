import type { Token } from "@humanwhocodes/momoa";
import type { Span } from "./places.ts";
import { type Problem, problem } from "./problem.ts";

interface SyntaxWords {
  readonly found: string;
  readonly needed: string;
  readonly fix: string;
}

function syntaxProblem(span: Span, words: SyntaxWords): Problem {
  return problem(span, { code: "PROFILE_SYNTAX", path: [], ...words });
}

/** What a text that JSON5 allows and JSON does not has in it: comments, trailing commas, other quotes and numbers. */
export function syntaxExtensions(text: string, tokens: readonly Token[]): Problem[] {
  return tokens.flatMap((token, index) => {
    const span: Span = [token.loc.start.offset, token.loc.end.offset];
    const words = extension(token, text.slice(...span), tokens.slice(index + 1).find(isNoComment));
    return words ? [syntaxProblem(span, words)] : [];
  });
}

function isNoComment(token: Token): boolean {
  return token.type !== "LineComment" && token.type !== "BlockComment";
}

function extension(token: Token, text: string, next: Token | undefined): SyntaxWords | undefined {
  switch (token.type) {
    case "LineComment":
    case "BlockComment":
      return {
        found: "a comment",
        needed: "JSON, which has no comments",
        fix: 'remove it; the key "description" holds notes',
      };
    case "Comma":
      if (next?.type !== "RBrace" && next?.type !== "RBracket") return undefined;
      return {
        found: `a comma before the closing ${next.type === "RBrace" ? "}" : "]"}`,
        needed: "a comma only between two entries",
        fix: "remove the comma",
      };
    case "String":
      if (!text.startsWith("'")) return undefined;
      return {
        found: `text in single quotes: ${text}`,
        needed: "text in double quotes",
        fix: `write ${JSON.stringify(text.slice(1, -1).replaceAll("\\'", "'"))}`,
      };
    case "Identifier":
      return { found: `${text} without quotes`, needed: "keys in double quotes", fix: `write "${text}"` };
    case "Number":
      if (/^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(text)) return undefined;
      return {
        found: `${text}, which is no number of JSON`,
        needed: "a decimal number",
        fix: Number.isFinite(Number(text)) ? `write ${Number(text)}` : "write a decimal number",
      };
    default:
      return undefined;
  }
}

/** A text that ends or breaks where nothing can be made of it. */
export function syntaxError(text: string, offset: number): Problem {
  const rest = text.slice(offset);
  const span: Span = [offset, offset + (/^(\w+|"[^"\n]*"?|.)/.exec(rest)?.[0].length ?? 1)];
  return syntaxProblem(span, brokenText(text.slice(0, offset), rest));
}

function brokenText(before: string, rest: string): SyntaxWords {
  const start = (before + rest).trimStart();
  if (start === "") {
    return {
      found: "the file is empty",
      needed: "a profile in JSON",
      fix: 'start with {"version": 1, "name": ...}',
    };
  }
  if (start.startsWith("<")) {
    return {
      found: "the file is XML",
      needed: "a profile in JSON",
      fix: "give the profile's file, not a libvirt domain",
    };
  }
  const sign = rest.trimStart()[0];
  if (sign === undefined) {
    return {
      found: "the file ends before everything is closed",
      needed: `${closersFor(before)} at the end`,
      fix: "see whether the end was cut off",
    };
  }
  if (closersFor(before) === "" && before.trim() !== "") {
    return {
      found: `${JSON.stringify(sign)} after the profile's end`,
      needed: "nothing after the last }",
      fix: "remove it",
    };
  }
  const afterValue = /["\]}\w]\s*$/.test(before);
  if (afterValue && /["{[\w-]/.test(sign)) {
    return {
      found: "no comma before this",
      needed: "a comma between two entries",
      fix: "put a comma in front",
    };
  }
  if (sign === "=") return { found: '"="', needed: '":" between a key and its value', fix: 'write ":"' };
  const word = /^[A-Za-z_]\w*/.exec(rest)?.[0];
  if (word !== undefined) {
    const known = {
      true: "true",
      yes: "true",
      on: "true",
      false: "false",
      no: "false",
      off: "false",
      none: "null",
    };
    const meant = known[word.toLowerCase() as keyof typeof known];
    return {
      found: `${word} without quotes`,
      needed: "text in double quotes, true, false or a number",
      fix: meant ? `write ${meant} or "${word}"` : `write "${word}"`,
    };
  }
  return {
    found: `an unexpected ${JSON.stringify(sign)}`,
    needed: "a key or a value",
    fix: "remove it, or write what is missing",
  };
}

/** Whether a text has brackets open and ends with the name, number, text or sign at the offset. */
export function endsEarly(text: string, offset: number): boolean {
  return /^\s*(\w+|"[^"]*"?|[,:[{-])\s*$/.test(text.slice(offset)) && closersFor(text) !== "";
}

/** The brackets that are still open, as they must be closed: "]}". */
function closersFor(json: string): string {
  const open: string[] = [];
  for (const [token] of json.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]]/g)) {
    if (token === "{") open.unshift("}");
    else if (token === "[") open.unshift("]");
    else if (token === "}" || token === "]") open.shift();
  }
  return open.join("");
}

/** Where a text has a line break or another control character inside quotes; undefined when nowhere. */
export function controlCharacter(text: string): Problem | undefined {
  for (const match of text.matchAll(/"[^"\\]*(?:\\[\s\S][^"\\]*)*"/g)) {
    const inside = Array.from(match[0]).findIndex((character) => character < " ");
    if (inside < 0) continue;
    const isBreak = /[\r\n]/.test(match[0][inside] ?? "");
    return syntaxProblem(
      isBreak ? [match.index, match.index + inside] : [match.index + inside, match.index + inside + 1],
      isBreak
        ? {
            found: "text that does not end on its line",
            needed: "closing quotes",
            fix: 'put " where the text ends',
          }
        : {
            found: "a control character inside text",
            needed: "it as an escape, such as \\t",
            fix: "escape or remove it",
          },
    );
  }
  return undefined;
}
