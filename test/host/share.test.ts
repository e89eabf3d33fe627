import { expect, it } from "vitest";
import { readShare } from "../../src/host/share.ts";
import { fakeSystem } from "../rig/fake-system.ts";

const nodes = [{ id: 0 }, { id: 1 }];
const share = (files: Record<string, string>) => readShare(fakeSystem(files).files, [0, 1, 2, 3], nodes);
const group = (folder: string, cpus: string, mems: string) => ({
  [`${folder}/cpuset.cpus.effective`]: `${cpus}\n`,
  [`${folder}/cpuset.mems.effective`]: `${mems}\n`,
});

it("is what the cgroup leaves, or one above that has the controller", () => {
  const files = group("/sys/fs/cgroup/batch", "1-2", "1");
  const part = { cpus: [1, 2], nodes: [1] };
  expect(share({ "/proc/self/cgroup": "0::/batch\n", ...files })).toEqual(part);
  expect(share({ "/proc/self/cgroup": "0::/batch/job7\n", ...files })).toEqual(part);
});

it("is a container's own root, whatever its path outside", () => {
  const files = group("/sys/fs/cgroup", "3", "0-1");
  expect(share({ "/proc/self/cgroup": "0::/../../elsewhere\n", ...files })).toEqual({
    cpus: [3],
    nodes: [0, 1],
  });
});

it("is read from the old cpuset hierarchy where there is one", () => {
  const files = {
    "/proc/self/cgroup": "4:memory:/x\n3:cpuset:/slurm\n0::/\n",
    "/sys/fs/cgroup/cpuset/slurm/cpuset.effective_cpus": "0\n",
    "/sys/fs/cgroup/cpuset/slurm/cpuset.effective_mems": "0\n",
  };
  expect(share(files)).toEqual({ cpus: [0], nodes: [0] });
});

it("is not told where it is everything, or where the kernel has no cpusets", () => {
  expect(share({ "/proc/self/cgroup": "0::/\n", ...group("/sys/fs/cgroup", "0-7", "0-1") })).toBeUndefined();
  expect(share({ "/proc/self/cgroup": "0::/a\n" })).toBeUndefined();
  expect(share({})).toBeUndefined();
});
