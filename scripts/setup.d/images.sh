# shellcheck shell=bash
# What guests boot: the probe guest and the simulated host, made by the built program from the kernel in the cache.

probe_files=(vmlinuz vmlinux initrd.img)

make_images() {
  local release agent_files
  release=$(basename "$kernel_folder"/lib/modules/*)
  # depmod writes next to the modules: once, into the unpacked package.
  [[ -e $kernel_folder/lib/modules/$release/modules.dep ]] || depmod -b "$kernel_folder" "$release" || return 1
  agent_files=$(guest_agent_files) || return 1
  mapfile -t agent_files <<<"$agent_files"
  node "$root/bin/qlaunch.mjs" __images "$QLAUNCH_CACHE" "$kernel_folder" "${agent_files[@]}"
}

# The program itself knows whether one of their inputs has changed, and makes them in seconds.
ensure_images() {
  local name
  make_images || fail "The images could not be made."
  # A profile names files relative to its own folder.
  mkdir -p "$root/profiles/.probe" "$root/profiles/.lab"
  for name in "${probe_files[@]}"; do ensure_link "$QLAUNCH_CACHE/probe/$name" "$root/profiles/.probe/$name"; done
  ensure_link "$QLAUNCH_CACHE/lab/initrd.img" "$root/profiles/.lab/initrd.img"
  ensure_link "$QLAUNCH_CACHE/probe/vmlinux" "$root/profiles/.lab/vmlinux"
}

ensure_link() {
  [[ $(readlink "$2") == "$1" ]] || ln -sfn "$1" "$2"
}
