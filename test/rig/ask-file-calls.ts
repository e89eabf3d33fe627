// Asks both kinds of calls on files the same, in two folders that are alike, and writes what they answer as JSON. Bun runs it.
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { type FileCalls, openFlags } from "../../src/system/file-calls.ts";
import { fileCallsByFunctions } from "../../src/system/file-calls-functions.ts";
import { fileCallsByNode } from "../../src/system/file-calls-node.ts";

const [folder = ""] = process.argv.slice(2);

function ask(calls: FileCalls, own: string): Record<string, unknown> {
  const at = (name: string) => `${own}/${name}`;
  mkdirSync(at("many"), { recursive: true });
  // More names than one call gives, the longest among them.
  for (let index = 0; index < 200; index++) writeFileSync(at(`many/${index}${"ä".repeat(100)}`), "");
  writeFileSync(at(`many/${"x".repeat(255)}`), "");
  writeFileSync(at("text"), "0123456789");
  symlinkSync("text", at("link"));
  symlinkSync("nowhere", at("broken"));

  const { read, write, readWrite, create, exclusive, append } = openFlags;
  const plain = (answer: ReturnType<FileCalls["status"]>) =>
    typeof answer === "number" ? answer : { ...answer, inode: undefined, modifiedMs: undefined };
  const withFile = <T>(name: string, flags: number, work: (descriptor: number) => T) => {
    const descriptor = calls.open(at(name), flags, 0o640);
    if (descriptor < 0) return descriptor;
    const result = work(descriptor);
    return [result, calls.close(descriptor)];
  };
  const readOne = (descriptor: number, size: number, offset?: number) => {
    const bytes = new Uint8Array(size);
    return [calls.read(descriptor, bytes, offset), ...bytes];
  };
  const bytes = (text: string) => new TextEncoder().encode(text);

  return {
    absent: calls.open(at("none"), read),
    folderAsFile: withFile("many", read, (it) => calls.read(it, new Uint8Array(1))),
    fileAsFolder: [calls.list(at("text")), calls.open(at("text/none"), read)],
    absentFolder: calls.list(at("none")),
    zeroInPath: [
      calls.open(at("text\0"), read),
      calls.status(at("te\0xt")),
      calls.unlink("\0"),
      calls.list("\0"),
    ],
    longName: calls.open(at("x".repeat(256)), read),
    longPath: [
      calls.open(at("x/".repeat(3000)), read),
      calls.status("ä".repeat(2048)),
      calls.rename("a", "b".repeat(5000)),
    ],
    emptyPath: [calls.open("", read), calls.status(""), calls.list("")],
    reads: withFile("text", read, (it) => [
      readOne(it, 3),
      readOne(it, 3, 8),
      readOne(it, 3),
      readOne(it, 0),
      readOne(it, 9),
      readOne(it, 1),
    ]),
    writes: withFile("text", readWrite, (it) => [
      calls.write(it, bytes("ab")),
      calls.write(it, bytes("yz"), 5),
      calls.write(it, bytes("")),
      readOne(it, 10, 0),
    ]),
    writeToRead: withFile("text", read, (it) => calls.write(it, bytes("x"))),
    appends: withFile("text", write | append, (it) => calls.write(it, bytes("+"))),
    made: withFile("new", write | create | exclusive, (it) => plain(calls.status(it))),
    madeAgain: calls.open(at("new"), write | create | exclusive, 0o600),
    truncated: withFile("text", readWrite, (it) => [calls.truncate(it), plain(calls.status(it))]),
    status: ["text", "link", "broken", "many", "none"].map((name) => [
      plain(calls.status(at(name))),
      plain(calls.status(at(name), false)),
    ]),
    nodes: ["/dev/null", "/dev/tty", "/proc/self/ns/net", "/"].map((path) => plain(calls.status(path))),
    sameFile: calls.status(import.meta.filename),
    list: [calls.list(at("many")), calls.list(own)].map((names) =>
      typeof names === "number" ? names : names.sort(),
    ),
    links: [calls.readLink(at("link")), calls.readLink(at("text")), calls.readLink(at("none"))],
    realPaths: [
      calls.realPath("/proc/self/../.."),
      calls.realPath(at("broken")),
      calls.realPath("/dev/fd/../null"),
    ],
    access: [0, 1, 2, 4, 6].map((access) => calls.access(at("text"), access)),
    folders: [
      calls.makeDirectory(at("made"), 0o750),
      calls.makeDirectory(at("made"), 0o700),
      calls.changeMode(at("made"), 0o1700),
      plain(calls.status(at("made"))),
      calls.changeMode(at("none"), 0o600),
    ],
    renames: [
      calls.rename(at("text"), at("moved")),
      calls.rename(at("text"), at("moved")),
      calls.rename(at("moved"), at("many")),
    ],
    unlinks: [
      calls.unlink(at("moved")),
      calls.unlink(at("moved")),
      calls.unlink(at("many")),
      calls.unlink(at("link")),
    ],
    closed: [
      calls.close(9999),
      calls.read(9999, new Uint8Array(1)),
      calls.write(9999, bytes("x")),
      calls.status(9999),
    ],
  };
}

const functions = fileCallsByFunctions();
const answers = {
  byNode: ask(fileCallsByNode, `${folder}/one`),
  byFunctions: functions && ask(functions, `${folder}/two`),
};
process.stdout.write(JSON.stringify(answers));
