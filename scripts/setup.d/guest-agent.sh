# shellcheck shell=bash
# The QEMU guest agent of this release, unpacked in the cache: the probe guest runs it, and tests talk to it.

guest_agent_folder=$QLAUNCH_CACHE/guest-agent

fetch_guest_agent() {
  archive_fetch "$guest_agent_folder" qemu-guest-agent
}

guest_agent_ready() {
  [[ -e $guest_agent_folder/VERSIONS ]]
}

ensure_guest_agent() {
  guest_agent_ready || step "Fetching the guest agent (1 MB)" fetch_guest_agent
}

# Prints the libraries that the agent needs, and the loader: QEMU itself brought them to this machine.
guest_agent_libraries() {
  local listing
  listing=$(ldd "$QLAUNCH_GUEST_AGENT") || return 1
  if grep 'not found' <<<"$listing"; then return 1; fi
  sed -nE 's/.*=> (\/[^ ]+) .*/\1/p; s/^[[:space:]]*(\/[^ ]+) .*/\1/p' <<<"$listing"
}

# Prints the agent and its libraries with their places in the guest, "SOURCE=TARGET" each: libraries lie where their loader
# looks.
guest_agent_files() {
  local libraries library
  libraries=$(guest_agent_libraries) || return 1
  printf '%s=bin/qemu-ga\n' "$QLAUNCH_GUEST_AGENT"
  while read -r library; do printf '%s=%s\n' "$library" "$library"; done <<<"$libraries"
}
