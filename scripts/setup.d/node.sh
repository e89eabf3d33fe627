# shellcheck shell=bash
# npm's packages and the build.

ensure_node() {
  local version
  if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    fail "Missing: node and npm, version 20.19 or newer (https://nodejs.org)"
  fi
  version=$(node -p 'process.versions.node')
  [[ $(printf '20.19.0\n%s\n' "$version" | sort -V | head -n 1) == 20.19.0 ]] ||
    fail "Node is $version, and 20.19 or newer is needed (https://nodejs.org)"
}

# True when node_modules holds what package-lock.json says, however it was installed.
node_modules_fresh() {
  node - "$root" <<'PROGRAM'
const { readFileSync } = require("node:fs");
const packages = (file) => JSON.parse(readFileSync(`${process.argv[2]}/${file}`, "utf8")).packages;
let installed;
try { installed = packages("node_modules/.package-lock.json"); } catch { process.exit(1); }
const stale = Object.entries(packages("package-lock.json")).filter(
  ([path, { version, optional }]) => path !== "" && installed[path]?.version !== version && !(optional && !installed[path]),
);
process.exit(stale.length === 0 ? 0 : 1);
PROGRAM
}

ensure_node_modules() {
  node_modules_fresh || step "Installing npm packages" npm --prefix "$root" ci --no-audit --no-fund
}

# Everything the build reads, as one hash.
build_inputs() {
  (cd "$root" && find src scripts/build* scripts/tsconfig* tsconfig.json package.json package-lock.json -type f -print0 2>/dev/null |
    LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum)
}

ensure_build() {
  local inputs stamp=$root/node_modules/.qlaunch-build
  inputs=$(build_inputs)
  if [[ ! -e $root/dist/cli.mjs || $(cat "$stamp" 2>/dev/null) != "$inputs" ]]; then
    step "Building qlaunch" npm --prefix "$root" run build
    printf '%s\n' "$inputs" >"$stamp"
  fi
}
