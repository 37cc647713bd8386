# What the commands of this folder need on the machine: looks, installs by apt-get where it may, or says what is missing
# and how to get it. Sourced, not run; needs say.sh.

missing=()          # sentences: what is missing and how to get it
missing_packages=() # Debian packages that would help

have() { command -v "$1" >/dev/null 2>&1; }

# at_least WANTED FOUND: whether the version FOUND is WANTED or later.
at_least() { [[ $(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1) == "$1" ]]; }

# Rust and Node are the two things that a newcomer brings.
need_rust() {
  local wanted found
  wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
  [[ -d ${CARGO_HOME:-$HOME/.cargo}/bin ]] && PATH=$PATH:${CARGO_HOME:-$HOME/.cargo}/bin
  if ! have cargo; then
    missing+=("cargo, Rust $wanted or later: https://rustup.rs, or: curl -sSf https://sh.rustup.rs | sh -s -- -y")
    return
  fi
  found=$(cargo --version | cut -d' ' -f2)
  at_least "$wanted" "$found" || missing+=("Rust $wanted or later (found $found): rustup update stable")
}

need_node() {
  local wanted=20.19.0 found
  if ! have node || ! have npm; then
    missing+=("Node.js $wanted or later with npm (Debian 12 carries 18, too old): https://nodejs.org/en/download")
    return
  fi
  found=$(node --version)
  at_least "$wanted" "${found#v}" || missing+=("Node.js $wanted or later (found ${found#v}): https://nodejs.org/en/download")
}

# The C compiler builds SQLite and links.
need_compiler() { have cc || missing_packages+=(gcc libc6-dev); }

# Folder of the newest PostgreSQL server's programs, or nothing.
postgres_bin() {
  local dir
  for dir in $(printf '%s\n' /usr/lib/postgresql/*/bin | sort -Vr); do
    if [[ -x $dir/initdb ]]; then
      echo "$dir"
      return
    fi
  done
  if have initdb; then dirname "$(command -v initdb)"; fi
}

need_postgres() { [[ -n $(postgres_bin) ]] || missing_packages+=(postgresql); }

chromium_path() { command -v "${FENGHUO_CHROMIUM:-chromium}" || command -v chromium-browser || command -v google-chrome || true; }

need_browser() {
  [[ -n $(chromium_path) ]] || missing_packages+=(chromium)
  [[ -n $(find /usr/share/fonts "$HOME/.fonts" "$HOME/.local/share/fonts" -iname '*CJK*' -print -quit 2>/dev/null) ]] ||
    missing_packages+=(fonts-noto-cjk)
}

# What the faults strike with: packets dropped in network namespaces, a clock that is stepped. Without root they are skipped.
need_fault_tools() {
  if ((EUID == 0)); then
    have ip || missing_packages+=(iproute2)
    have nft || missing_packages+=(nftables)
    have faketime || missing_packages+=(faketime)
  fi
}

# Installs what is missing where it can; else says all that is missing and ends with exit code 2.
get_missing() {
  if ((${#missing_packages[@]})); then
    local as_root=()
    if ((EUID != 0)); then as_root=(sudo -n); fi
    if have apt-get && { ((EUID == 0)) || { have sudo && sudo -n true 2>/dev/null; }; }; then
      install_packages "${as_root[@]}"
    else
      missing+=("Debian packages: sudo apt-get install ${missing_packages[*]}")
    fi
  fi
  if ((${#missing[@]})); then
    {
      echo 'This is missing here:'
      printf '  - %s\n' "${missing[@]}"
      echo 'Get it and run the command again.'
    } >&2
    exit 2
  fi
}

# install_packages [sudo -n]: apt-get install, without letting PostgreSQL's package start a server of its own.
install_packages() {
  say "installing ${missing_packages[*]}"
  local no_server=/etc/postgresql-common/createcluster.d/fenghuo-no-server.conf
  run "$@" env DEBIAN_FRONTEND=noninteractive NO_SERVER="$no_server" sh -euc '
    log=$(mktemp)
    mkdir -p "${NO_SERVER%/*}"
    echo "create_main_cluster = false" > "$NO_SERVER"
    trap "rm -f \"$NO_SERVER\" \"$log\"" EXIT
    install() { apt-get install -y --no-install-recommends "$@" > "$log" 2>&1; }
    install "$@" || { apt-get update > "$log" 2>&1 && install "$@"; } || { tail -n 15 "$log" >&2; exit 1; }
  ' sh "${missing_packages[@]}" ||
    missing+=("Debian packages (apt-get failed, see above): apt-get update && apt-get install ${missing_packages[*]}")
}
