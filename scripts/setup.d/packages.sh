# shellcheck shell=bash
# The distribution's packages: what is missing is installed by apt-get where there is one, and named where there is not.

# One line each: a program or a file, and the Debian package that has it.
needed_programs() {
  cat <<'LIST'
qemu-system-x86_64 qemu-system-x86
qemu-img qemu-utils
/usr/share/OVMF/OVMF_CODE_4M.fd ovmf
/usr/lib/ipxe/qemu/efi-virtio.rom ipxe-qemu
busybox busybox-static
cpio cpio
xz xz-utils
depmod kmod
taskset util-linux
setpriv util-linux
ip iproute2
swtpm swtpm
shellcheck shellcheck
virsh libvirt-clients
/usr/lib/x86_64-linux-gnu/libvirt/connection-driver/libvirt_driver_qemu.so libvirt-daemon-driver-qemu
LIST
}

# Prints the lines of needed_programs that this machine lacks. Administration programs may be outside a user's PATH.
missing_programs() {
  local program package
  while read -r program package; do
    [[ -e $program ]] || PATH=$PATH:/usr/sbin:/sbin command -v "$program" >/dev/null || printf '%s %s\n' "$program" "$package"
  done < <(needed_programs)
}

# as_root COMMAND...: through sudo where the caller is not root.
as_root() {
  if ((EUID == 0)); then "$@"; else sudo "$@"; fi
}

# Waits for another apt-get or dpkg instead of failing, never asks, and retries a broken transfer.
apt_get() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@"
}

# The lists have a lock of their own, which apt-get does not wait for.
apt_update() {
  local attempt
  for attempt in 1 2 3 4 5 6; do
    if apt_get update; then return 0; fi
    echo "apt-get update failed (attempt $attempt)"
    sleep $((attempt * 2))
  done
  return 1
}

# Package lists that are absent or older than the mirror name files that are not there: then, and only then, update and try again.
apt_install() {
  apt_get install --no-install-recommends "$@" && return 0
  apt_update && apt_get install --no-install-recommends "$@"
}

ensure_packages() {
  local missing packages
  missing=$(missing_programs)
  [[ -n $missing ]] || return 0
  mapfile -t packages < <(cut -d ' ' -f 2 <<<"$missing" | sort -u)
  if ! command -v apt-get >/dev/null; then
    fail "Missing, and there is no apt-get to install them with:" "$(awk '{ print "  " $1 " (Debian package " $2 ")" }' <<<"$missing")"
  fi
  if ((EUID != 0)); then
    command -v sudo >/dev/null || fail "Missing, and only root can install them: run as root: apt-get install ${packages[*]}"
    sudo -v || fail "Missing, and sudo was refused: run as root: apt-get install ${packages[*]}"
  fi
  step "Installing ${packages[*]}" apt_install "${packages[@]}"
  missing=$(missing_programs)
  [[ -z $missing ]] || fail "Installed, and still missing:" "$missing"
}
