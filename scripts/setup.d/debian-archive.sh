# shellcheck shell=bash
# Packages fetched and unpacked in the cache, never installed. apt runs on lists of its own here, so that an ordinary
# user can, and so that the backports suite stays unknown to the system.

archive=$QLAUNCH_CACHE/archive

archive_options=(
  -q -o "Dir::Etc::sourcelist=$archive/sources.list" -o Dir::Etc::sourceparts=/dev/null
  -o "Dir::State::lists=$archive/lists" -o "Dir::Cache=$archive/cache" -o APT::Sandbox::User= -o Acquire::Languages=none
  -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false -o Acquire::Retries=3
)

# The release's name, such as bookworm.
debian_codename() {
  # shellcheck source=/dev/null
  (. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")
}

# The system's Debian sources with the backports suite added, one apt line each; the mirror is the one the system uses.
archive_sources() {
  local codename origin release component uri
  codename=$(debian_codename)
  # shellcheck disable=SC2016 # apt expands these
  apt-get indextargets --format '$(CREATED_BY) $(ORIGIN) $(RELEASE) $(COMPONENT) $(REPO_URI)' |
    sed -n 's/^Packages //p' | sort -u | while read -r origin release component uri; do
    [[ $origin == Debian* && $component == main ]] || continue
    printf 'deb %s %s main\n' "$uri" "$release"
    [[ $release != "$codename" ]] || printf 'deb %s %s-backports main\n' "$uri" "$codename"
  done
}

refresh_archive() {
  local sources
  sources=$(archive_sources)
  if [[ -z $sources ]]; then
    # The system has no lists yet, and only they tell the mirror.
    apt_update || return 1
    sources=$(archive_sources)
  fi
  [[ -n $sources ]] || { echo "The system's apt sources name no Debian archive."; return 1; }
  mkdir -p "$archive/lists/partial" "$archive/cache/archives/partial"
  printf '%s\n' "$sources" >"$archive/sources.list"
  apt-get "${archive_options[@]}" update
}

# Reads the package lists anew when something is about to be fetched.
ensure_archive() {
  if kernel_ready && qemu_10_ready && guest_agent_ready; then return 0; fi
  command -v apt-get >/dev/null || fail "The guest kernel, QEMU 10 and the guest agent come from Debian's archive, and there is no apt-get to fetch them with."
  step "Reading the Debian archive's package lists" refresh_archive
}

# archive_fetch FOLDER PACKAGE...: unpacks packages into a new folder, which appears whole or not at all.
archive_fetch() {
  local folder=$1 part=$1.part package
  shift
  rm -rf "$part" "$folder"
  mkdir -p "$part/.packages"
  (cd "$part/.packages" && apt-get "${archive_options[@]}" download "$@") || return 1
  for package in "$part"/.packages/*.deb; do
    echo "unpacking ${package##*/}"
    dpkg-deb -x "$package" "$part" || return 1
    # shellcheck disable=SC2016 # dpkg-deb expands these
    dpkg-deb -W --showformat '${Package} ${Version}\n' "$package" >>"$part/VERSIONS"
  done
  rm -rf "$part/.packages"
  mv "$part" "$folder"
}
