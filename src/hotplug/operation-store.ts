import { refusal } from "../errors/index.ts";
import { type Files, join } from "../system/index.ts";
import { isEnded, type Operation, type OperationRequest } from "./operation.ts";
import { parseOperation } from "./operation-format.ts";

/** Ended operations that are kept, the newest ones. */
const keptEnded = 100;

const fileEnd = ".json";
const folderOf = (directory: string) => join(directory, "operations");
const fileOf = (directory: string, id: string) => join(folderOf(directory), `${id}.json`);

/**
 * The operations of a VM, in the order of asking.
 * @param directory the VM's run directory
 * @throws QlaunchError RUN_DIRECTORY when a file among them cannot be read
 */
export function listOperations(files: Files, directory: string): Operation[] {
  return numbers(files, directory).map((number) => readFile(files, fileOf(directory, String(number))));
}

/** @throws QlaunchError LIVE_OPERATION_UNKNOWN, RUN_DIRECTORY */
export function readOperation(files: Files, directory: string, id: string): Operation {
  const known = numbers(files, directory).map(String);
  if (known.includes(id)) return readFile(files, fileOf(directory, id));
  throw refusal("LIVE_OPERATION_UNKNOWN", {
    found: `there is no operation ${JSON.stringify(id)}`,
    needed: known.length === 0 ? "an operation: this VM has had none" : `one of ${known.join(", ")}`,
    fix: "qlaunch ops lists them",
  });
}

export function writeOperation(files: Files, directory: string, operation: Operation): void {
  files.writeAtomically(fileOf(directory, operation.id), `${JSON.stringify(operation, undefined, 2)}\n`);
}

/** Notes a new operation, in the state requested. The VM's lock must be held. */
export function createOperation(
  files: Files,
  directory: string,
  request: OperationRequest,
  made: Pick<Operation, "worker"> & { readonly atMs: number },
): Operation {
  const folder = folderOf(directory);
  if (files.facts(folder) === undefined) files.makeDirectory(folder, 0o700);
  const known = numbers(files, directory);
  const last = known.at(-1) ?? 0;
  const operation: Operation = {
    format: 1,
    id: String(last + 1),
    ...request,
    state: "requested",
    history: [{ state: "requested", atMs: made.atMs, note: "" }],
    worker: made.worker,
    problem: null,
  };
  writeOperation(files, directory, operation);
  if (known.length >= keptEnded) forgetOld(files, directory);
  return operation;
}

function forgetOld(files: Files, directory: string): void {
  const ended = listOperations(files, directory).filter(isEnded);
  for (const { id } of ended.slice(0, -keptEnded)) files.remove(fileOf(directory, id));
}

function numbers(files: Files, directory: string): number[] {
  const all: number[] = [];
  for (const name of files.list(folderOf(directory)) ?? []) {
    const number = name.endsWith(fileEnd) ? Number(name.slice(0, -fileEnd.length)) : 0;
    if (number > 0 && name === `${number}${fileEnd}`) all.push(number);
  }
  return all.sort((a, b) => a - b);
}

function readFile(files: Files, path: string): Operation {
  const operation = parseOperation(files.readText(path));
  if (typeof operation !== "string") return operation;
  throw refusal("RUN_DIRECTORY", {
    found: `${path} cannot be used: ${operation}`,
    needed: "the record of an operation, as qlaunch wrote it",
    fix: `use the qlaunch that wrote it, or remove the file: then nobody goes on with that operation`,
  });
}
