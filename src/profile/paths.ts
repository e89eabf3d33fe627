import type { Profile } from "./schema.ts";

/**
 * Makes every path of the host absolute: relative ones count from the folder of the profile, wherever the program
 * was started.
 * @param folder absolute
 */
export function resolvePaths(profile: Profile, folder: string): Profile {
  const at = (path: string) => resolvePath(folder, path);
  const { machine, memory, passthrough, kernel, rng, tpm } = profile;
  return {
    ...profile,
    machine:
      typeof machine.firmware === "object"
        ? { ...machine, firmware: resolveOvmf(machine.firmware, at) }
        : machine,
    memory: {
      ...memory,
      ...mapped("path", memory.path, at),
      devices: memory.devices.map((device) => ({ ...device, ...mapped("path", device.path, at) })),
    },
    passthrough: { ...passthrough, cdi: passthrough.cdi.map(at) },
    disks: profile.disks.map((disk) => ({ ...disk, file: at(disk.file) })),
    networks: profile.networks.map((network) => ({
      ...network,
      ...mapped("bridgeHelper", network.bridgeHelper, at),
    })),
    filesystems: profile.filesystems.map((filesystem) => ({ ...filesystem, path: at(filesystem.path) })),
    fwCfg: profile.fwCfg.map((entry) => ({ ...entry, ...mapped("file", entry.file, at) })),
    rng: typeof rng === "object" ? { ...rng, source: at(rng.source) } : rng,
    ...(tpm && { tpm: { ...tpm, ...mapped("state", tpm.state, at) } }),
    ...(kernel && { kernel: { ...kernel, image: at(kernel.image), ...mapped("initrd", kernel.initrd, at) } }),
  };
}

type Ovmf = Extract<Profile["machine"]["firmware"], object>;

function resolveOvmf({ ovmf }: Ovmf, at: (path: string) => string): Ovmf {
  return { ovmf: { ...ovmf, ...mapped("code", ovmf.code, at), ...mapped("vars", ovmf.vars, at) } };
}

/** An optional key with its path made absolute; nothing when it is absent. */
function mapped<Key extends string>(key: Key, path: string | undefined, at: (path: string) => string) {
  return path === undefined ? {} : ({ [key]: at(path) } as Record<Key, string>);
}

/** Joins and normalises: no ".", "..", empty steps or slash at the end. */
export function resolvePath(folder: string, path: string): string {
  const steps: string[] = [];
  for (const step of (path.startsWith("/") ? path : `${folder}/${path}`).split("/")) {
    if (step === "..") steps.pop();
    else if (step !== "" && step !== ".") steps.push(step);
  }
  return `/${steps.join("/")}`;
}
