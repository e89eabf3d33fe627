import { expect, it } from "vitest";
import { parseProfile, resolvePath, resolvePaths } from "../../src/profile/index.ts";
import { profileText } from "./profiles.ts";

it.each([
  ["/vm", "root.qcow2", "/vm/root.qcow2"],
  ["/vm", "./a/../root.qcow2", "/vm/root.qcow2"],
  ["/vm/", "a//b/", "/vm/a/b"],
  ["/vm", "../root.qcow2", "/root.qcow2"],
  ["/vm", "../../../root.qcow2", "/root.qcow2"],
  ["/vm", "/dev/../dev/sda", "/dev/sda"],
  ["/", "x", "/x"],
  ["/vm", "a, b=c", "/vm/a, b=c"],
  ["/vm", "..hidden", "/vm/..hidden"],
])("from %s, %s is %s", (folder, path, expected) => {
  expect(resolvePath(folder, path)).toBe(expected);
});

it("every path of the host becomes absolute, and nothing else changes", async () => {
  const { profile, diagnostics } = await parseProfile(
    profileText({
      machine: { firmware: { ovmf: { code: "f/code.fd", vars: "f/vars.fd" } } },
      memory: { size: "1G", backend: "file", path: "huge" },
      disks: [{ id: "d", file: "d.raw", format: "raw" }],
      networks: [{ id: "n", bridge: "br0", bridgeHelper: "helper" }],
      filesystems: [{ id: "f", path: "share" }],
      rng: { source: "random" },
      tpm: { state: "tpm" },
      kernel: { image: "vmlinuz", initrd: "initrd" },
      fwCfg: [
        { name: "opt/a", file: "a.txt" },
        { name: "opt/b", string: "b" },
      ],
    }),
    "p.json",
  );
  expect(diagnostics).toEqual([]);
  if (profile === undefined) throw new Error("no profile");
  const before = structuredClone(profile);
  const resolved = resolvePaths(profile, "/vm");
  expect(profile).toEqual(before);
  expect(resolved).toEqual({
    ...profile,
    machine: {
      ...profile.machine,
      firmware: { ovmf: { code: "/vm/f/code.fd", vars: "/vm/f/vars.fd", secureBoot: false } },
    },
    memory: { ...profile.memory, path: "/vm/huge" },
    disks: [{ ...profile.disks[0], file: "/vm/d.raw" }],
    networks: [{ ...profile.networks[0], bridgeHelper: "/vm/helper" }],
    filesystems: [{ ...profile.filesystems[0], path: "/vm/share" }],
    rng: { source: "/vm/random" },
    tpm: { version: "2.0", state: "/vm/tpm" },
    kernel: { image: "/vm/vmlinuz", initrd: "/vm/initrd", cmdline: "" },
    fwCfg: [
      { name: "opt/a", file: "/vm/a.txt" },
      { name: "opt/b", string: "b" },
    ],
  });
});

it("a profile without paths stays as it is", async () => {
  const { profile } = await parseProfile(profileText(), "p.json");
  if (profile === undefined) throw new Error("no profile");
  expect(resolvePaths(profile, "/vm")).toEqual(profile);
});
