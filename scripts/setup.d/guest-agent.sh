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

# install_guest_agent STAGE: the agent in a root file system, its libraries where its loader looks.
install_guest_agent() {
  local stage=$1 libraries library
  libraries=$(guest_agent_libraries) || return 1
  while read -r library; do install -D -m 755 "$library" "$stage$library"; done <<<"$libraries"
  install -D -m 755 "$QLAUNCH_GUEST_AGENT" "$stage/bin/qemu-ga"
}
