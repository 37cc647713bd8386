# The Python environment of the foreign client (tests/foreign). Sourced, not run; needs say.sh and tools.sh.

need_python() {
  if ! have python3 || ! python3 -c 'import ensurepip, venv' 2>/dev/null; then missing_packages+=(python3-venv); fi
}

# python_env: makes the environment below the target folder unless it is there, and exports FENGHUO_TEST_PYTHON.
python_env() {
  local dir requirements=tests/foreign/requirements.txt
  dir=$(target_dir)/python
  if [[ ! $dir/ready -nt $requirements ]]; then
    say 'Python environment of the foreign client'
    rm -rf "$dir"
    run python3 -m venv "$dir"
    run "$dir/bin/pip" install --quiet --disable-pip-version-check -r "$requirements"
    touch "$dir/ready"
  fi
  run "$dir/bin/python" tests/foreign/make_stubs.py proto
  FENGHUO_TEST_PYTHON=$(cd "$dir" && pwd)/bin/python
  export FENGHUO_TEST_PYTHON
}
