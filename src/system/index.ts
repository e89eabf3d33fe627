export { isBrokenPipe, type OutputStream, openOutput } from "./output.ts";
export { basename, dirname, isAbsolute, join, resolve } from "./paths.ts";
export { realSystem } from "./real.ts";
export {
  type Affinity,
  type AffinityFailure,
  type Appender,
  type ByteStream,
  type Clock,
  type Exit,
  type FileFacts,
  type Files,
  type Finished,
  type Lock,
  type Locks,
  type Processes,
  type Sockets,
  type StartedProcess,
  type StartOptions,
  type System,
  SystemError,
  type User,
} from "./system.ts";
