import type { Duplex } from "node:stream";

/**
 * The machine as the rooms see it. The only door to files, processes and sockets: a test that passes a System
 * whose writes and spawns throw has proved that the work is a dry run.
 */
export interface System {
  readonly files: Files;
  readonly processes: Processes;
  readonly sockets: Sockets;
  readonly locks: Locks;
  readonly affinity: Affinity;
  readonly clock: Clock;
  readonly user: User;
}

export interface User {
  readonly uid: number;
  readonly gid: number;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workingDirectory: string;
}

export interface FileFacts {
  readonly kind: "file" | "directory" | "link" | "socket" | "block" | "character" | "fifo";
  readonly sizeBytes: number;
  /** Permission bits only, such as 0o700. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly modifiedMs: number;
  /** Device and inode as /proc/locks spells them: "08:01:1234". */
  readonly inode?: string;
}

/** Synchronous on purpose: sysfs and /proc answer from memory, and hundreds of small reads cost less this way. */
export interface Files {
  /** @throws SystemError */
  readText(path: string): string;
  /** Undefined when the file is absent or the kernel refuses to read it (sysfs does so for attributes that do not apply). */
  tryReadText(path: string): string | undefined;
  /** The same on another thread, for what the kernel may hold back for long. */
  tryReadTextAside(path: string): Promise<string | undefined>;
  /**
   * The first line of a file that is the one. Those behind it are not read: the kernel's own files are made as they are
   * read. Undefined when there is none, the file is absent or the kernel refuses.
   */
  findLine(path: string, isIt: (line: string) => boolean): string | undefined;
  /**
   * The first line with this beginning. Of one of the kernel's own files no line is made behind it, if lines have 16
   * bytes at least: in some, a single line costs seconds. Undefined as above.
   * @param leastBytes of each line before it, as far as they are known, and then its own, the ends of lines counted: so much
   * is read at once; default: none is known
   */
  findLineFrom(path: string, beginning: string, leastBytes?: readonly number[]): string | undefined;
  /** The first bytes of a file, fewer when it is shorter. @throws SystemError */
  readStart(path: string, bytes: number): Buffer;
  /** The same of a text, which may be cut within a letter; undefined when the file is absent or the kernel refuses. */
  tryReadTextStart(path: string, bytes: number): string | undefined;
  /** Bytes from an offset on, fewer where the file ends; none beyond its end. @throws SystemError */
  readPart(path: string, offset: number, bytes: number): Buffer;
  /** From an offset to the end. @throws SystemError */
  readFrom(path: string, offset: number): Buffer;
  /** Names in the folder, sorted; undefined when it is absent or unreadable. */
  list(path: string): string[] | undefined;
  readLink(path: string): string | undefined;
  /** The path with every link resolved; undefined when it does not exist. */
  realPath(path: string): string | undefined;
  /** Follows links unless asked not to; undefined when there is nothing. */
  facts(path: string, options?: { followLinks?: boolean }): FileFacts | undefined;
  /** Whether this user may open it so. */
  allows(path: string, access: "read" | "write" | "execute"): boolean;
  /** Whether it opens for reading and writing now (a device node may exist and refuse). */
  opens(path: string): boolean;
  /** Writes to a temporary name in the same folder and renames. @throws SystemError */
  writeAtomically(path: string, content: string | Uint8Array, mode?: number): void;
  /** Writes to a file that is there, in one go, as the kernel's own files want it. It may block. @throws SystemError */
  write(path: string, text: string): void;
  /** Writes bytes at an offset of a file that is there, in one go: a register of config space. @throws SystemError */
  writePart(path: string, offset: number, bytes: Uint8Array): void;
  /** Opens a file for appending, creating it with mode 0600. @throws SystemError */
  openAppend(path: string): Appender;
  /** Fails when the folder exists. @throws SystemError */
  makeDirectory(path: string, mode: number): void;
  /** Of a link itself, never of what it leads to. */
  changeOwner(path: string, uid: number, gid: number): void;
  changeMode(path: string, mode: number): void;
  copy(source: string, target: string, mode: number): void;
  /** Removes a file or a whole folder; nothing happens when it is absent. @throws SystemError */
  remove(path: string): void;
}

/** Appends whole texts to a file that stays open. */
export interface Appender {
  /** @returns the bytes that were written @throws SystemError */
  write(text: string): number;
  close(): void;
}

export interface Finished {
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Exit {
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
}

export interface StartOptions {
  /** Receives standard output and error, appended. */
  readonly logPath: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Keep the terminal's standard streams instead of the log (a VM in the foreground). */
  readonly foreground?: boolean;
}

/** Bytes both ways, in order: of a socket, or of one end of a socket pair. Every Duplex is one. */
export interface ByteStream {
  on(event: "data", listener: (chunk: Uint8Array) => void): unknown;
  on(event: "end" | "close", listener: () => void): unknown;
  on(event: "error", listener: (error: NodeJS.ErrnoException) => void): unknown;
  write(content: string | Uint8Array): unknown;
  /** Ends it when all that was written is out. */
  end(): unknown;
  /** Ends it now. */
  destroy(): unknown;
  readonly destroyed: boolean;
  readonly readableEnded: boolean;
}

/** A program that goes on when this one ends, in a session of its own. */
export interface StartedProcess {
  readonly pid: number;
  /** The parent's end of the socket pair that the child has as descriptor 3. */
  readonly monitor: ByteStream;
  readonly exited: Promise<Exit>;
  /** Lets this program end while the other runs on. */
  release(): void;
}

export interface Processes {
  /** Runs to the end; a non-zero exit is a result. @throws SystemError when the program cannot be started */
  run(
    program: string,
    arguments_: readonly string[],
    options?: { input?: string; timeoutMs?: number; environment?: Readonly<Record<string, string>> },
  ): Promise<Finished>;
  /** @throws SystemError when the program cannot be started */
  start(program: string, arguments_: readonly string[], options: StartOptions): Promise<StartedProcess>;
  /** The program's path, looked up in PATH unless it has a slash; undefined when absent or not executable. */
  find(program: string): string | undefined;
  /** False when there is no such process. @throws SystemError when not permitted */
  signal(pid: number, signal: NodeJS.Signals): boolean;
}

export interface Sockets {
  /**
   * A connected unix stream socket. Waits up to 3 s for room in the listener's queue.
   * @throws SystemError ENOENT, ECONNREFUSED, EACCES, EAGAIN when the queue stays full
   */
  connect(path: string): Promise<ByteStream>;
  /** The same as a stream that can be paused and piped, which takes longer to make. */
  connectDuplex(path: string): Promise<Duplex>;
  /** Whether somebody accepts connections there, looked up without making one. The path is as the listener wrote it. */
  isListening(path: string): boolean;
}

/** A lock that the kernel frees when its holder dies. */
export interface Lock {
  /** Frees it and removes its file. */
  release(): void;
}

export interface Locks {
  /** What `take` runs, by name; nothing where it needs no program. */
  programs(): readonly string[];
  /**
   * Takes an exclusive lock on a file, which is created with mode 0600 and holds `owner` while it is taken.
   * @returns the lock, or the text that its holder wrote
   */
  take(path: string, owner: string, options?: { waitMs?: number }): Promise<Lock | { heldBy: string }>;
}

/** A thread of any process, and the host CPUs that it shall run on. */
export interface ThreadAffinity {
  readonly threadId: number;
  readonly cpus: readonly number[];
}

/** `code` is the kernel's name for what was wrong: EINVAL, ESRCH, EPERM. */
export interface AffinityFailure {
  readonly threadId: number;
  readonly code: string;
}

export interface Affinity {
  /** What `set` runs, by name; nothing where it needs no program. */
  programs(): readonly string[];
  /**
   * Pins all of them, one after another; one that fails stops none. The kernel leaves out CPUs that a cpuset keeps
   * away, so that /proc has the last word. @throws SystemError when a program cannot be started
   */
  set(pins: readonly ThreadAffinity[]): Promise<AffinityFailure[]>;
}

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Milliseconds on a clock that never jumps. */
  elapsedMs(): number;
  sleep(milliseconds: number): Promise<void>;
}

/** What the kernel answered: `code` is its name for the error, such as ENOENT. */
export class SystemError extends Error {
  override readonly name = "SystemError";
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
