# shellcheck shell=bash
# Where things are. Sourced first by setup, demo and test; everything made lies in one cache folder, safe to delete.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
QLAUNCH_CACHE=${QLAUNCH_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/qlaunch}

export QLAUNCH_CACHE

# The probe guest, for profiles and tests. vmlinux is the same kernel uncompressed: without KVM it starts seconds sooner,
# but OVMF cannot load it.
export QLAUNCH_PROBE_KERNEL=$QLAUNCH_CACHE/probe/vmlinuz
export QLAUNCH_PROBE_VMLINUX=$QLAUNCH_CACHE/probe/vmlinux
export QLAUNCH_PROBE_INITRD=$QLAUNCH_CACHE/probe/initrd.img

# The agent that runs in the probe guest; it can serve a socket on this machine as well.
export QLAUNCH_GUEST_AGENT=$QLAUNCH_CACHE/guest-agent/usr/sbin/qemu-ga

# QEMU binaries that the end-to-end tests run on, separated by colons: the distribution's, and QEMU 10 beside it.
qemu_10=$QLAUNCH_CACHE/qemu-10/bin/qemu-system-x86_64
export QLAUNCH_TEST_QEMU=${QLAUNCH_TEST_QEMU:-/usr/bin/qemu-system-x86_64:$qemu_10}
