import { spawn } from "node:child_process";
import { compare } from "./statistics.mjs";

const lab = new URL("../lab", import.meta.url).pathname;
const inside = new URL("passthrough-inside.mjs", import.meta.url).pathname;

/** Real VFIO needs an IOMMU and devices to give away: the simulated HGX board has both, on any machine. */
export async function benchPassthrough(runs) {
  const child = spawn(lab, ["--host", "lab-hgx", "--timeout", "1500", "--", "node", inside, String(runs)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  child.stdout.setEncoding("utf8");
  child.stdout.on("data", (chunk) => {
    said += chunk;
  });
  const status = await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (status !== 0) throw new Error(`the simulated host ended with ${status}:\n${said}`);
  const rows = said
    .split("\n")
    .filter((line) => line.startsWith('{"devices":'))
    .map((line) => JSON.parse(line));
  return rows.map(({ devices, ours, floor }) =>
    compare(
      `bind, start, end, give back: ${devices} device${devices === 1 ? "" : "s"}`,
      "bare sysfs writes + bare QEMU",
      ours,
      floor,
    ),
  );
}
