import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import type { Host } from "../../src/host/topology.ts";
import { renderHost } from "../../src/report/index.ts";
import { plain } from "./style.ts";

it("shows a host with gaps as it is", () => {
  const host: Host = JSON.parse(readFileSync(new URL("../hosts/sparse.json", import.meta.url), "utf8"));
  expect(
    renderHost({ ...host, kvm: { usable: false, reason: "no /dev/kvm" } }, plain),
  ).toMatchInlineSnapshot(`
    [
      "processor  AMD EPYC 7313 16-Core Processor, 48 physical address bits",
      "CPUs       21 online, 11 cores, 3 sockets",
      "offline    7,19,23",
      "isolated   10,22",
      "KVM        not usable: no /dev/kvm",
      "QEMU       7.2.22 (/usr/bin/qemu-system-x86_64, Debian 1:7.2+dfsg-7+deb12u18+b3)",
      "",
      "node  CPUs         memory     free  huge pages, free of all",
      "   0  0-3,12-15    64 GiB   60 GiB  512 of 1024 x 2 MiB, 8 of 8 x 1 GiB",
      "   2  4-6,16-18       0 B      0 B  -",
      "   5  -           128 GiB  126 GiB  12 of 16 x 1 GiB",
      "   8  8-11,20-22   32 GiB   30 GiB  2048 of 2048 x 2 MiB",
      "",
      "distance   0   2   5   8",
      "       0  10  21  17  21",
      "       2  21  10  28  21",
      "       5  17  28  10  28",
      "       8  21  21  28  10",
    ]
  `);
});
