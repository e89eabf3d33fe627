import { addSocket } from "./consoles.ts";
import type { Draft } from "./draft.ts";

/** Name, identity, monitors, and how the process starts. */
export function planMonitor(draft: Draft, uuid: string | undefined): void {
  const { places } = draft;
  const name = draft.decide("monitor", "monitor.name", {
    value: draft.profile.name,
    rule: "Threads carry their names, so that people see which is a vCPU.",
    source: "invocation",
  });
  draft.add({
    option: "name",
    properties: { guest: draft.profile.name, "debug-threads": true },
    because: [name],
  });
  if (uuid !== undefined) {
    const because = draft.decide("monitor", "monitor.uuid", {
      value: uuid,
      rule: "The profile's, or one made once and kept while the VM exists.",
      source: "invocation",
    });
    draft.add({ option: "uuid", value: uuid, because: [because] });
  }
  const bare = draft.decide("monitor", "monitor.bare", {
    value: "no defaults, no configuration files",
    rule: "Nothing is in the guest that the plan does not name.",
    source: "invocation",
  });
  draft.add({ option: "no-user-config", because: [bare] }, { option: "nodefaults", because: [bare] });

  const launch = draft.decide("monitor", "monitor.launch", {
    value: "descriptor 3",
    rule: "The launcher's monitor is connected before QEMU starts: no waiting for a socket to appear.",
    source: "qmp",
  });
  draft.add(
    {
      option: "chardev",
      backend: "socket",
      id: "launch",
      properties: { fd: 3 },
      because: [launch],
      launcherOnly: true,
    },
    { option: "qmp", chardev: "launch", because: [launch], launcherOnly: true },
  );
  const monitors = draft.decide("monitor", "monitor.sockets", {
    value: "qmp.sock for qlaunch, monitor.sock for people",
    rule: "A monitor serves one client at a time, so people and their tools have one of their own.",
    source: "qmp",
  });
  draft.claimId("socket", places.qmpSocket, []);
  draft.claimId("socket", places.monitorSocket, []);
  addSocket(draft, "qmp", places.qmpSocket, monitors);
  draft.add({ option: "qmp", chardev: "qmp", because: [monitors] });
  addSocket(draft, "monitor", places.monitorSocket, monitors);
  draft.add({ option: "qmp", chardev: "monitor", because: [monitors] });

  const start = draft.decide("monitor", "monitor.start", {
    value: "paused, with a pid file and timed messages",
    rule: "QEMU starts stopped: threads are pinned and read back before the guest runs its first instruction.",
    source: "invocation",
  });
  draft.add(
    { option: "pidfile", value: places.pidFile, because: [start] },
    { option: "msg", properties: { timestamp: true }, because: [start] },
    { option: "S", because: [start] },
  );
}
