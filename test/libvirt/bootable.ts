import { execFileSync } from "node:child_process";
import { mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readOptions } from "./options.ts";

const probe = "org.qlaunch.probe.0";

/** The domain with the probe guest in it, and with little memory. */
export function withProbe(text: string): string {
  const [kernel, initrd] = [process.env.QLAUNCH_PROBE_VMLINUX, process.env.QLAUNCH_PROBE_INITRD];
  const isCells = text.includes("<cell ");
  // Of TCG's own processor a guest sees the threads of a core only with an Intel vendor, which qlaunch alone gives it.
  const model = "<cpu mode='custom' match='exact' check='none'><model fallback='forbid'>Nehalem</model>";
  return text
    .replace(/<cpu mode='maximum'>(?=\s*<topology [^>]*threads='2')/, model)
    .replaceAll(/(?<=<cell [^>]*memory=)'\d+' unit='\w+'/g, "'128' unit='MiB'")
    .replace(/<memory unit='\w+'>\d+</, `<memory unit='MiB'>${isCells ? 384 : 256}<`)
    .replace(
      "</os>",
      `<kernel>${kernel}</kernel><initrd>${initrd}</initrd><cmdline>console=ttyS0 quiet</cmdline></os>`,
    )
    .replace(
      "</devices>",
      `<channel type='unix'><target type='virtio' name='${probe}'/></channel></devices>`,
    );
}

/**
 * A command line as it can be started here: images that are empty, sockets and memory in a folder, no monitor. Of what
 * the guest sees nothing is changed.
 * @returns the arguments and the socket of the probe guest
 */
export function bootable(argv: readonly string[], folder: string): { argv: string[]; socket: string } {
  mkdirSync(join(folder, "images"), { recursive: true });
  const options = readOptions(argv);
  const used = new Map(
    options.flatMap(({ name, properties }) => {
      const chardev = name === "device" ? properties.get("chardev") : undefined;
      return chardev === undefined ? [] : [[chardev, properties.get("name") ?? ""] as const];
    }),
  );
  const socket = join(folder, "probe.sock");
  const words: string[] = [];
  for (const [name, value] of pairsOf(argv)) {
    if (["-S", "-mon", "-qmp", "-pidfile", "-vnc", "-display"].includes(name)) continue;
    if (value?.includes('"secret"')) continue;
    if (name === "-chardev") {
      const id = /(?:^|,)id=([^,]+)/.exec(value ?? "")?.[1] ?? "";
      const port = used.get(id);
      if (port === undefined) continue;
      words.push(
        name,
        port === probe ? `socket,id=${id},path=${socket},server=on,wait=off` : `null,id=${id}`,
      );
    } else words.push(name, ...(value === undefined ? [] : [movedTo(folder, value)]));
  }
  for (const { name, properties } of readOptions(words)) {
    const file = name === "blockdev" ? properties.get("filename") : undefined;
    if (file !== undefined) makeImage(file);
  }
  return { argv: [...words, "-display", "none"], socket };
}

/** Switches with their values. */
function pairsOf(argv: readonly string[]): [string, string | undefined][] {
  const pairs: [string, string | undefined][] = [];
  for (const word of argv) {
    const last = pairs.at(-1);
    if (word.startsWith("-") || !last) pairs.push([word, undefined]);
    else last[1] = word;
  }
  return pairs;
}

/** Temporary folders may be in memory, where the host's page cache cannot be left out. */
function movedTo(folder: string, value: string): string {
  return value
    .replaceAll("/images/", `${folder}/images/`)
    .replace(/(?<="mem-path":")[^"]*\//, `${folder}/`)
    .replaceAll("cache.direct=on", "cache.direct=off")
    .replaceAll('"direct":true', '"direct":false')
    .replace("aio=native", "aio=threads")
    .replace("aio=io_uring", "aio=threads")
    .replace('"aio":"native"', '"aio":"threads"')
    .replace('"aio":"io_uring"', '"aio":"threads"');
}

function makeImage(file: string): void {
  if (file.endsWith(".qcow2")) execFileSync("qemu-img", ["create", "-q", "-f", "qcow2", file, "1M"]);
  else {
    writeFileSync(file, "");
    truncateSync(file, 2 ** 20);
  }
}
