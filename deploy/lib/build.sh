# Building the browser program and the binary. Sourced, not run; needs say.sh.

web=services/console/web

target_dir() { echo "${CARGO_TARGET_DIR:-target}"; }

# npm_packages DIR: installs exactly what DIR/package-lock.json names, unless that is done already.
npm_packages() {
  local dir=$1
  if [[ ! $dir/node_modules/.package-lock.json -nt $dir/package-lock.json ]]; then
    say "npm packages of $dir"
    run npm --prefix "$dir" ci --no-audit --no-fund --loglevel=error
    touch "$dir/node_modules/.package-lock.json"
  fi
}

# build_console: types checked, bundled into services/console/web/dist, which the binary embeds.
build_console() {
  npm_packages "$web"
  run npm --prefix "$web" run --silent build
}

# console_is_built: whether the bundle is there and no source of it is newer. (An index.html without assets beside it is
# the placeholder that the crate makes.)
console_is_built() {
  [[ -d $web/dist/assets ]] &&
    [[ -z $(find proto seeds/divisions seeds/rivers "$web" \( -name node_modules -o -name dist -o -name gen -o -path "$web/public/map" \) -prune -o \
      -type f ! -name '*.md' ! -name published.binpb -newer "$web/dist/index.html" -print -quit) ]]
}
