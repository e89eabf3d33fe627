/** Where a VM's files would be: nothing that only plans writes there. */
export const places = {
  directory: "/r",
  qemuDirectory: "/r/q",
  pidFile: "/r/p",
  logFile: "/r/l",
  qmpSocket: "/r/s",
  monitorSocket: "/r/m",
};
