import { failure, type Result, success } from "../errors/index.ts";
import { checkAddressSpace } from "./address-space.ts";
import { planConsoles } from "./consoles.ts";
import { type CpuPlan, planCpu, planCpuTopology } from "./cpu.ts";
import { planDeviceWindow } from "./device-window.ts";
import { planDevices } from "./devices.ts";
import { planDisks } from "./disks.ts";
import { Draft, type PlanInput } from "./draft.ts";
import { planExtra } from "./extra.ts";
import { planFirmware } from "./firmware.ts";
import { planKernel } from "./kernel.ts";
import { planMachine } from "./machine.ts";
import { type CellMemory, planMemory } from "./memory.ts";
import { planMemoryDevices } from "./memory-devices.ts";
import { planMonitor } from "./monitor.ts";
import { planNetworks } from "./networks.ts";
import { planCells, planNuma } from "./numa.ts";
import { planPartition } from "./partition.ts";
import { choosePassthrough, planPassthrough } from "./passthrough.ts";
import { withAutomaticCliques } from "./passthrough-clique-auto.ts";
import { planPassthroughTree } from "./passthrough-tree.ts";
import { PcieTree } from "./pcie.ts";
import { checkSwitchLinks } from "./pcie-switch.ts";
import { type PinningPlan, planPinning } from "./pinning.ts";
import { checkQemuFeatures } from "./qemu-features.ts";
import { planSandbox } from "./sandbox.ts";
import { planShares } from "./shares.ts";
import { sources } from "./sources.ts";
import { planStandIns } from "./stand-ins.ts";
import type { Placement, Plan } from "./types.ts";

/**
 * The plan for a profile on a host. Pure: no clock, no random numbers, no look at the machine.
 *
 * @returns the plan with its warnings, or every rule that the profile breaks or the host cannot meet
 */
export function planVm(input: PlanInput): Result<Plan> {
  const draft = new Draft(input);
  const { profile, places } = input;
  const uuid = profile.uuid ?? input.uuid;

  planMonitor(draft, uuid);
  const chosen = choosePassthrough(draft);
  planPartition(draft, chosen);
  const cpuPlan = planCpuTopology(draft);
  const { accelerator } = planMachine(draft, cpuPlan.topology);
  planFirmware(draft);
  const cells = planCells(draft, cpuPlan);
  const memory = planMemory(draft, cells);
  planNuma(draft, memory.cells);
  const vcpus = planCpu(draft, cpuPlan, cells, accelerator);
  const addressSpace = checkAddressSpace(draft, accelerator);
  const pinning = planPinning(draft, cpuPlan, cells);

  const made = planPassthroughTree(draft, chosen, memory.cells);
  const tree = new PcieTree(draft, made);
  planDisks(draft, tree);
  const network = planNetworks(draft, tree, accelerator);
  planShares(draft, tree);
  planConsoles(draft, tree);
  planDevices(draft, tree);
  const memoryDevices = planMemoryDevices(draft, tree, memory.cells);
  planStandIns(draft, tree);
  const passed = planPassthrough(draft, tree, chosen, made.placeOf, memory.cells);
  const { devices, options } = tree.finish();
  const window = planDeviceWindow(draft, addressSpace, devices, options);
  draft.add(...withAutomaticCliques(draft, chosen, { devices, options }, window.end), ...draft.leaves);
  checkSwitchLinks(draft, devices);

  checkQemuFeatures(draft);

  planKernel(draft);
  const sandbox = planSandbox(draft);
  planExtra(draft);

  if (draft.problems.some((problem) => problem.severity === "error")) return failure(draft.problems);
  return success(
    {
      name: profile.name,
      uuid,
      program: input.program ?? input.host.qemu?.binary ?? "qemu-system-x86_64",
      options: draft.options,
      decisions: draft.decisions.map((decision) => ({ ...decision, source: sources[decision.source] })),
      placement: { ...placementOf(memory.cells, cpuPlan, vcpus, pinning), memoryDevices },
      devices,
      ...(window.end === undefined ? {} : { windowEnd: window.end }),
      run: {
        directory: places.directory,
        pidFile: places.pidFile,
        logFile: places.logFile,
        qmpSocket: places.qmpSocket,
        monitorSocket: places.monitorSocket,
        consoles: draft.consoles,
        copies: draft.copies,
        helpers: draft.helpers,
        files: draft.files,
        bridges: network.bridges,
        taps: network.taps,
        ...sandbox,
        lockedBytes: Math.max(memory.lockedBytes, passed.lockedBytes),
        ...(window.isLarge ? { largeBars: true } : {}),
        passthrough: passed.passthrough,
      },
    },
    draft.problems,
  );
}

function placementOf(
  cells: readonly CellMemory[],
  cpuPlan: CpuPlan,
  vcpus: { boot: ReadonlySet<number>; deviceIds: ReadonlyMap<number, string> },
  pinning: PinningPlan,
): Omit<Placement, "memoryDevices"> {
  const cellOf = new Map(cells.flatMap((cell) => cell.vcpus.map((id) => [id, cell.id] as const)));
  return {
    cells: cells.map((cell) => ({
      id: cell.id,
      vcpus: cell.vcpus,
      memoryBytes: cell.memoryBytes,
      memdev: cell.memdev,
      hostNodes: cell.hostNodes,
      policy: cell.policy,
      pageSizeBytes: cell.pageSizeBytes,
      distances: cell.distances,
    })),
    vcpus: cpuPlan.guestCpus.map((cpu) => ({
      ...cpu,
      cell: cellOf.get(cpu.id) ?? 0,
      boot: vcpus.boot.has(cpu.id),
      deviceId: vcpus.deviceIds.get(cpu.id),
      hostCpus: pinning.vcpus.get(cpu.id)?.hostCpus,
      exclusive: pinning.vcpus.get(cpu.id)?.exclusive ?? false,
    })),
    ...(pinning.idle.length > 0 ? { idleCpus: pinning.idle } : {}),
    emulator: pinning.emulator,
    iothreads: pinning.iothreads,
  };
}
