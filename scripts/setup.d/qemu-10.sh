# shellcheck shell=bash
# QEMU 10 from the release's backports, unpacked beside the distribution's QEMU and never installed over it.

qemu_10_folder=$QLAUNCH_CACHE/qemu-10

# What apt would install to get QEMU 10 on this system, libraries that it lacks included, as name=version lines.
# All its modules too: it takes one that is missing from the system's folder, where 7.2's ends it with SIGABRT.
qemu_10_packages() {
  local suite
  suite=$(debian_codename)-backports
  apt-get "${archive_options[@]}" -s --no-install-recommends install \
    {qemu-system-x86,qemu-system-modules-opengl,qemu-system-modules-spice}/"$suite" |
    sed -nE 's/^Inst ([^ ]+) (\[[^]]*\] )?\(([^ ]+) .*/\1=\3/p'
}

fetch_qemu_10() {
  local packages
  mapfile -t packages < <(qemu_10_packages)
  ((${#packages[@]} > 0)) || { echo "The backports suite has no newer QEMU."; return 1; }
  archive_fetch "$qemu_10_folder" "${packages[@]}" || return 1
  write_qemu_10_wrapper
  qemu_10_inputs >"$qemu_10_folder/inputs"
  "$qemu_10" --version || { mv "$qemu_10_folder" "$qemu_10_folder.broken"; return 1; }
}

# Debian builds QEMU to look for firmware at fixed places: -L names those of the unpacked packages, then the system's
# network boot ROMs. exec keeps the pid. Libraries are looked for beside only when some had to be unpacked.
write_qemu_10_wrapper() {
  local libraries=$qemu_10_folder/usr/lib/x86_64-linux-gnu
  mkdir -p "$qemu_10_folder/bin"
  {
    printf '#!/bin/sh\n'
    compgen -G "$libraries/lib*.so*" >/dev/null && printf 'export LD_LIBRARY_PATH=%q\n' "$libraries"
    printf 'export QEMU_MODULE_DIR=%q\n' "$libraries/qemu"
    printf 'exec %q -L %q -L %q -L /usr/lib/ipxe/qemu "$@"\n' \
      "$qemu_10_folder"/usr/{bin/qemu-system-x86_64,share/qemu,share/seabios}
  } >"$qemu_10"
  chmod +x "$qemu_10"
}

# What decides on its contents: the unpacked folder is made anew when this file changes.
qemu_10_inputs() {
  sha256sum <"$root/scripts/setup.d/qemu-10.sh"
}

qemu_10_ready() {
  [[ -x $qemu_10 && $(cat "$qemu_10_folder/inputs" 2>/dev/null) == "$(qemu_10_inputs)" ]]
}

ensure_qemu_10() {
  qemu_10_ready || step "Fetching QEMU 10 (14 MB, unpacked in the cache)" fetch_qemu_10
}
