# What build, test and the CI script share. Sourced, from the top of the repository.
# shellcheck shell=bash

# configure DIR MESON-ARGUMENT...: sets a build folder up, or changes it when the arguments differ
# from the last time. Prints only what went wrong.
configure() {
  local dir=$1 log
  shift
  local wanted="$PWD $*"
  if [[ -f $dir/build.ninja && $(cat "$dir/configured-with" 2>/dev/null) == "$wanted" ]]; then
    return 0
  fi
  log=$(mktemp)
  # A folder that was moved or half set up is made anew: meson keeps absolute paths in it.
  rm -rf "$dir"
  if ! meson setup "$dir" "$@" >"$log" 2>&1; then
    tail -n 30 "$log" >&2
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
  printf '%s\n' "$wanted" >"$dir/configured-with"
}

# compile DIR [TARGET...]: builds with ninja; a line of progress on a terminal, else errors only.
compile() {
  local dir=$1 log
  shift
  if [[ -t 1 ]]; then
    ninja -C "$dir" "$@"
    return
  fi
  log=$(mktemp)
  if ! ninja -C "$dir" "$@" >"$log" 2>&1; then
    grep -vE '^\[[0-9]+/[0-9]+\] (Compiling|Linking|Generating)' "$log" | tail -n 80 >&2
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
}

# with_ccache COMPILER: the compiler's command, through ccache where that is installed.
with_ccache() {
  if command -v ccache >/dev/null; then printf 'ccache %s\n' "$1"; else printf '%s\n' "$1"; fi
}

# prepare_e2e: the npm packages of the end-to-end tests, when the lock file changed since the last.
prepare_e2e() {
  local lock=tests/e2e/package-lock.json log
  [[ -f $lock ]] || return 0
  cmp -s "$lock" tests/e2e/node_modules/.installed-lock && return 0
  log=$(mktemp)
  if ! (cd tests/e2e && npm ci --no-audit --no-fund --ignore-scripts \
    --omit-lockfile-registry-resolved) >"$log" 2>&1 </dev/null; then
    tail -n 20 "$log" >&2
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
  cp "$lock" tests/e2e/node_modules/.installed-lock
}

# run_tests DIR [SUITE|TEST|MESON-OPTION...]: builds what these tests need, runs them and counts;
# fails when a test failed or none ran.
run_tests() {
  local dir=$1 word list status=0 summary before=''
  local -a arguments=(--timeout-multiplier 3)
  shift
  list=$(meson test -C "$dir" --no-rebuild --list 2>/dev/null)
  for word in "$@"; do
    if [[ $before != --*suite ]] &&
      grep -qE "^ringroom:([^ ]*\+)?$word(\+[^ ]*)? / " <<<"$list"; then
      arguments+=(--suite "$word")
    else
      arguments+=("$word")
    fi
    before=$word
  done
  rm -f "$dir/meson-logs/testlog.json" "$dir/meson-logs/testlog.junit.xml"
  meson test -C "$dir" "${arguments[@]}" </dev/null || status=$?
  summary=$(python3 tools/count_tests.py "$dir") || status=1
  printf '%s\n' "${summary%, * skipped}"
  [[ $summary != '0 passed, 0 failed'* ]] || status=1
  return "$status"
}
