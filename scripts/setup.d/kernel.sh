# shellcheck shell=bash
# The guests' kernel: the generic one of this release (the cloud flavour lacks 9p and VFIO), unpacked in the cache.

kernel_folder=$QLAUNCH_CACHE/kernel

fetch_kernel() {
  local package
  package=$(apt-cache "${archive_options[@]}" depends linux-image-amd64 | awk '/Depends: linux-image-[0-9]/ { print $2; exit }')
  [[ -n $package ]] || { echo "The archive has no linux-image-amd64."; return 1; }
  archive_fetch "$kernel_folder" "$package"
}

kernel_ready() {
  [[ -e $kernel_folder/VERSIONS ]]
}

ensure_kernel() {
  kernel_ready || step "Fetching the guest kernel (70 MB)" fetch_kernel
}
