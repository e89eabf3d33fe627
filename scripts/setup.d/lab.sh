# shellcheck shell=bash
# The simulated host: an initramfs that makes this machine's file system its root, and the kernel of the probe guest.

lab_folder=$QLAUNCH_CACHE/lab

# In the order of loading: what the root file system needs, and no more. The rest is loaded from there.
lab_modules=(virtio_pci 9p 9pnet_virtio overlay)

build_lab() {
  local stage release modules module file name
  stage=$(mktemp -d)
  # shellcheck disable=SC2064 # the folder of now
  trap "rm -rf '$stage'" EXIT
  release=$(basename "$kernel_folder"/lib/modules/*)
  modules=$kernel_folder/lib/modules/$release

  mkdir -p "$stage"/{bin,dev,proc,sys,modules}
  for module in "${lab_modules[@]}"; do
    # --show-depends prints "insmod FILE" for each module, what it needs first.
    modprobe --dirname "$kernel_folder" --set-version "$release" --show-depends "$module" || return 1
  done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' >"$stage/files"
  [[ -s $stage/files ]] || { echo "modprobe names no module files in $modules"; return 1; }
  while read -r file; do
    name=$(basename "$file" .xz)
    case $file in
      *.xz) xz -dc "$file" >"$stage/modules/$name" ;;
      *) cp "$file" "$stage/modules/$name" ;;
    esac
    printf '%s\n' "$name" >>"$stage/modules/order"
  done <"$stage/files"
  rm "$stage/files"
  cp "$(command -v busybox)" "$stage/bin/busybox"
  for name in sh mount insmod mkdir cp poweroff switch_root; do ln -s busybox "$stage/bin/$name"; done
  install -m 755 "$root"/scripts/lab-guest/{init,main} "$stage"
  printf '%s\n' "$modules" >"$stage/module-folder"

  mkdir -p "$lab_folder"
  find "$stage" -exec touch -h -d @0 {} +
  (cd "$stage" && find . | LC_ALL=C sort | cpio -o -H newc -R 0:0 --reproducible --quiet) >"$lab_folder/initrd.img.part" || return 1
  mv "$lab_folder/initrd.img.part" "$lab_folder/initrd.img"
}

# Everything that the initramfs is made of, as one hash.
lab_inputs() {
  {
    echo "$kernel_folder"
    cat "$root"/scripts/lab-guest/* "$root/scripts/setup.d/lab.sh" "$kernel_folder/VERSIONS" "$(command -v busybox)"
  } | sha256sum
}

# Needs the probe guest: its kernel is this one's, and depmod has run for it.
ensure_lab() {
  local inputs
  inputs=$(lab_inputs)
  if [[ ! -e $lab_folder/initrd.img || $(cat "$lab_folder/inputs" 2>/dev/null) != "$inputs" ]]; then
    step "Making the simulated host" build_lab
    printf '%s\n' "$inputs" >"$lab_folder/inputs"
  fi
  mkdir -p "$root/profiles/.lab"
  ensure_link "$lab_folder/initrd.img" "$root/profiles/.lab/initrd.img"
  ensure_link "$QLAUNCH_PROBE_VMLINUX" "$root/profiles/.lab/vmlinux"
}

ensure_link() {
  [[ $(readlink "$2") == "$1" ]] || ln -sfn "$1" "$2"
}
