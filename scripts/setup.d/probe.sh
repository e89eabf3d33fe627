# shellcheck shell=bash
# The probe guest: the kernel and an initramfs of busybox, the programs of scripts/probe-guest and the drivers they load.

probe_folder=$QLAUNCH_CACHE/probe
probe_files=(vmlinuz vmlinux initrd.img)

# What the devices of a QEMU machine ask for; depmod finds what these need in turn.
probe_modules=(
  virtio_pci virtio_console virtio_blk virtio_net virtio_scsi virtio_rng virtio_balloon virtio_mem
  vmw_vsock_virtio_transport 9p 9pnet_virtio virtiofs nvme ahci sd_mod sr_mod e1000e qemu_fw_cfg i6300esb
  button evdev
)

# Prints the files of the modules and of all that they depend on, relative to the kernel's module folder.
probe_module_files() {
  local folder=$1 name
  for name in "${probe_modules[@]}"; do
    awk -v name="$name" '
      { file = $1; sub(/:$/, "", file); base = file; sub(/.*\//, "", base); sub(/\.ko.*/, "", base); gsub(/-/, "_", base)
        if (base == name) { found = 1; sub(/:/, ""); gsub(/ /, "\n"); print } }
      END { if (!found) { print "no kernel module " name > "/dev/stderr"; exit 1 } }' "$folder/modules.dep" || return 1
  done
}

# Prints the ELF kernel inside a bzImage. What follows it there makes xz complain at the end.
uncompressed_kernel() {
  local offset
  offset=$(LC_ALL=C grep --byte-offset --only-matching --text --perl-regexp '\xFD7zXZ\x00' "$1" | head -n 1 | cut -d : -f 1)
  tail -c +$((offset + 1)) "$1" | xz --decompress --stdout 2>/dev/null || true
}

build_probe() {
  local name stage kernel release modules target file files
  stage=$(mktemp -d)
  # shellcheck disable=SC2064 # the folder of now
  trap "rm -rf '$stage'" EXIT
  kernel=$(compgen -G "$kernel_folder/boot/vmlinuz-*") || return 1
  release=${kernel##*/vmlinuz-}
  # depmod writes next to the modules: once, into the unpacked package.
  [[ -e $kernel_folder/lib/modules/$release/modules.dep ]] || depmod -b "$kernel_folder" "$release" || return 1
  modules=$kernel_folder/lib/modules/$release target=$stage/lib/modules/$release

  mkdir -p "$stage"/{bin,sbin,dev,proc,sys,tmp,run,etc/acpi/PWRF,lib/modules} "$target"
  files=$(probe_module_files "$modules") || return 1
  while read -r file; do
    mkdir -p "$target/${file%/*}"
    case $file in
      *.xz) xz -dc "$modules/$file" >"$target/${file%.xz}" ;;
      *) cp "$modules/$file" "$target/$file" ;;
    esac
  done < <(sort -u <<<"$files")
  cp "$modules"/modules.{order,builtin} "$target"
  depmod -b "$stage" "$release" || return 1
  rm -f "$target"/modules.{order,builtin*,*.bin,symbols,devname}

  cp "$(command -v busybox)" "$stage/bin/busybox"
  while read -r file; do ln -s busybox "$stage/bin/$file"; done < <(busybox --list | grep -vx busybox)
  # The kernel itself calls this one, for file systems that are not there yet.
  ln -s ../bin/busybox "$stage/sbin/modprobe"
  # An NVMe disk shows once, below its PCI device, instead of twice and below neither.
  echo 'options nvme_core multipath=N' >"$stage/etc/modprobe.conf"
  install -m 755 "$root"/scripts/probe-guest/{agent,coldplug,report,serve} "$stage/bin"
  install_guest_agent "$stage" || return 1
  install -m 755 "$root/scripts/probe-guest/init" "$stage/init"
  install -m 755 "$root/scripts/probe-guest/power-button" "$stage/etc/acpi/PWRF/00000080"

  mkdir -p "$probe_folder"
  # Not compressed: a guest without KVM unpacks slower than it copies. Dates are fixed, so the same inputs give the same bytes.
  find "$stage" -exec touch -h -d @0 {} +
  (cd "$stage" && find . | LC_ALL=C sort | cpio -o -H newc -R 0:0 --reproducible --quiet) >"$probe_folder/initrd.img.part" || return 1
  cp "$kernel" "$probe_folder/vmlinuz.part"
  uncompressed_kernel "$kernel" >"$probe_folder/vmlinux.part"
  [[ $(head -c 4 "$probe_folder/vmlinux.part") == $'\x7fELF' ]] || { echo "no ELF kernel inside $kernel"; return 1; }
  for name in "${probe_files[@]}"; do mv "$probe_folder/$name.part" "$probe_folder/$name"; done
}

# Everything that the two files are made of, as one hash.
probe_inputs() {
  cat "$root"/scripts/probe-guest/* "$root/scripts/setup.d/probe.sh" "$kernel_folder/VERSIONS" "$guest_agent_folder/VERSIONS" "$(command -v busybox)" | sha256sum
}

ensure_probe() {
  local inputs name
  inputs=$(probe_inputs)
  if [[ ! -e $QLAUNCH_PROBE_INITRD || $(cat "$probe_folder/inputs" 2>/dev/null) != "$inputs" ]]; then
    step "Making the probe guest" build_probe
    printf '%s\n' "$inputs" >"$probe_folder/inputs"
  fi
  # A profile names files relative to its own folder.
  mkdir -p "$root/profiles/.probe"
  for name in "${probe_files[@]}"; do
    [[ $(readlink "$root/profiles/.probe/$name") == "$probe_folder/$name" ]] ||
      ln -sfn "$probe_folder/$name" "$root/profiles/.probe/$name"
  done
}
