// The import table of src/README.md, as rules. A room may import only what its row allows.
const rooms = {
  errors: [],
  events: ["errors"],
  units: ["errors"],
  profile: ["units", "errors"],
  host: ["units", "errors", "qmp", "system"],
  plan: ["profile", "units", "errors", "host"],
  argv: ["plan", "units", "errors"],
  system: ["errors"],
  qmp: ["system", "errors", "events"],
  vm: ["argv", "qmp", "system", "plan", "host", "units", "errors", "events"],
  hotplug: ["plan", "argv", "qmp", "vm", "host", "system", "units", "errors", "events"],
  verify: ["vm", "system", "plan", "units", "errors", "events"],
  nccl: ["plan", "host", "units", "errors"],
  rehearse: ["verify", "profile", "plan", "host", "system", "units", "errors", "events"],
  import: ["profile", "units", "errors"],
  export: ["import", "profile", "plan", "units", "errors"],
  report: ["events", "errors", "units", "plan", "host", "vm", "hotplug", "verify", "nccl"],
  actions: [
    "errors",
    "events",
    "units",
    "profile",
    "host",
    "plan",
    "argv",
    "system",
    "qmp",
    "vm",
    "hotplug",
    "verify",
    "nccl",
    "rehearse",
    "import",
    "export",
  ],
  cli: ["actions", "report", "errors", "events", "system"],
};
const machineModules = "^(node:)?(fs|fs/promises|net|child_process|os)$|^execa$";

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: "no-circular",
      severity: "error",
      from: { pathNot: "^node_modules" },
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    ...Object.entries(rooms).map(([room, allowed]) => ({
      name: `room-${room}`,
      severity: "error",
      from: { path: `^src/${room}/` },
      to: { path: "^src/", pathNot: [room, ...allowed].map((name) => `^src/${name}/`) },
    })),
    // Values, not only types: the host and the plan are data to these rooms.
    ...[
      ["plan", "host"],
      ["argv", "plan"],
      ["export", "plan"],
      ["report", "vm"],
      ["report", "host"],
      ["report", "hotplug"],
      ["report", "verify"],
      ["report", "nccl"],
      ["nccl", "host"],
      ["rehearse", "host"],
      ["hotplug", "host"],
    ].map(([from, to]) => ({
      name: `${from}-knows-only-types-of-${to}`,
      severity: "error",
      from: { path: `^src/${from}/` },
      to: { path: `^src/${to}/`, dependencyTypesNot: ["type-only"] },
    })),
    {
      name: "machine-only-in-system",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/system/" },
      to: { path: machineModules },
    },
    {
      name: "pure-rooms-have-no-node",
      severity: "error",
      from: { path: "^src/(errors|events|units|profile|plan|argv|import|export|nccl)/" },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "zod-only-in-profile",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/(profile|cli|actions|vm|host|import)/" },
      to: { path: "node_modules/zod" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default", "types"],
    },
  },
};
