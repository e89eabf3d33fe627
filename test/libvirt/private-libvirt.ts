import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { shellWords } from "./shell-words.ts";

/** What libvirt makes of a domain. */
export interface NativeDomain {
  /** As `virsh dumpxml` prints it, with every address that libvirt has chosen. */
  readonly dumped: string;
  /** QEMU's arguments, the program not among them. */
  readonly argv: readonly string[];
}

export interface PrivateLibvirt {
  /**
   * @param isValidated whether the schema of domains must fit as well
   * @throws with libvirt's own words
   */
  native(domain: string, isValidated?: boolean): Promise<NativeDomain>;
  /** What it says against a domain, its schema among it; undefined where it takes the domain. */
  refusal(domain: string): Promise<string | undefined>;
  close(): void;
}

/** Of an ordinary user: with root's rights libvirt wants users and folders of the system. */
const nobody = 65534;

/**
 * libvirt's QEMU driver inside of virsh itself: no daemon, no socket, no service. All that it writes is in one temporary
 * folder.
 *
 * @param qemu the program that domains name as their emulator
 * @see https://libvirt.org/drvqemu.html#driver-instances
 */
export function openLibvirt(qemu: string): PrivateLibvirt {
  const folder = mkdtempSync(join(tmpdir(), "qlaunch-libvirt-"));
  const path = (name: string) => join(folder, name);
  for (const name of ["root", "home", "bin", "images"]) mkdirSync(path(name));
  // It asks what a TPM's programs can do, of which not all are needed here, and starts none.
  for (const name of ["swtpm_setup", "swtpm_ioctl"]) {
    writeProgram(path(`bin/${name}`), `echo '{"type":"${name}","features":["tpm-1.2","tpm-2.0"]}'`);
  }
  // Arguments of a real start, of which the domain is the only trace.
  const recorded = path("recorded");
  writeProgram(
    path("bin/qemu"),
    `case " $* " in *" -name guest="*) printf '%s\\0' "$@" >${recorded}; exit 1;; esac\nexec ${qemu} "$@"`,
  );
  const isRoot = process.getuid?.() === 0;
  if (isRoot) giveAway(folder);
  const asUser = isRoot ? ["setpriv", "--reuid", `${nobody}`, "--regid", `${nobody}`, "--clear-groups"] : [];
  const virsh = async (...commands: string[]) => {
    const [program = "virsh", ...words] = [
      ...asUser,
      ...["virsh", "-q", "-c", `qemu:///embed?root=${path("root")}`, commands.join("; ")],
    ];
    return execa(program, words, {
      reject: false,
      stdin: "ignore",
      cwd: folder,
      extendEnv: false,
      env: {
        PATH: `${path("bin")}:/usr/sbin:/usr/bin:/sbin:/bin`,
        HOME: path("home"),
        LC_ALL: "C",
        ...Object.fromEntries(
          ["CACHE_HOME", "CONFIG_HOME", "DATA_HOME", "RUNTIME_DIR"].map((name) => [
            `XDG_${name}`,
            path("home"),
          ]),
        ),
      },
    });
  };
  /** The domain as a file, with the recording program as its emulator and images in the folder. */
  const written = (domain: string): { name: string; file: string } => {
    const name = /<name>(.*)<\/name>/.exec(domain)?.[1] ?? "";
    const file = path(`${name}.xml`);
    const text = domain
      .replace(/<emulator>.*<\/emulator>/, `<emulator>${path("bin/qemu")}</emulator>`)
      .replaceAll("/images/", `${path("images")}/`);
    writeFileSync(file, text);
    return { name, file };
  };
  return {
    async native(text, isValidated = false) {
      const { name, file } = written(text);
      // Its conversion gives each interface a tap device of its own, which takes rights: such a domain is started.
      const starts = text.includes("<interface ");
      if (starts)
        for (const [image] of text.matchAll(/(?<='\/images\/)[^']+/g))
          writeFileSync(path(`images/${image}`), "");
      rmSync(recorded, { force: true });
      const show = starts ? [`start ${name}`] : [`domxml-to-native qemu-argv --domain ${name}`];
      const { stdout, stderr } = await virsh(
        `define ${isValidated ? "--validate " : ""}${file}`,
        `dumpxml ${name}`,
        ...show,
        `undefine --nvram --keep-tpm ${name}`,
      );
      const own = (out: string) =>
        out.replaceAll(`${path("images")}/`, "/images/").replaceAll(path("bin/qemu"), qemu);
      const argv = starts ? recordedArgv(recorded) : shellWords(/^LC_ALL=.*$/m.exec(stdout)?.[0] ?? "");
      const first = argv.indexOf("-name");
      const dumped = /<domain [\s\S]*<\/domain>/.exec(stdout)?.[0];
      if (dumped === undefined || first === -1) throw new Error(`${name}: ${errorsOf(stderr) ?? stdout}`);
      return { dumped: own(dumped), argv: argv.slice(first).map(own) };
    },
    async refusal(text) {
      const { name, file } = written(text);
      const { stderr } = await virsh(`define --validate ${file}`, `undefine --nvram --keep-tpm ${name}`);
      return errorsOf(stderr);
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function errorsOf(text: string): string | undefined {
  return text.match(/^error: .*$/gm)?.join("\n");
}

function recordedArgv(file: string): string[] {
  return existsSync(file) ? readFileSync(file, "utf8").split("\0").slice(0, -1) : [];
}

function writeProgram(file: string, text: string): void {
  writeFileSync(file, `#!/bin/sh\n${text}\n`);
  chmodSync(file, 0o755);
}

function giveAway(folder: string): void {
  chownSync(folder, nobody, nobody);
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    chownSync(join(entry.parentPath, entry.name), nobody, nobody);
  }
}
