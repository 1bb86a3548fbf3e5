# For clients' own test suites: a broker to run them against, and the allow-list that what passed is held against.
# Sourced by <language>/<suite>/run, which sets `suite` (its folder) and `target` (ignored by git).
compat=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# Says why nothing is run here, and ends well.
skip() { echo "1..0 # SKIP $*"; exit 0; }
need() { for program in "$@"; do command -v "$program" > /dev/null || skip "$program not found on PATH"; done; }

# start_broker [--port PORT] [--brokers COUNT] [NAME=VALUE…]: sets `bootstrap`; ours, unless COMPAT_BOOTSTRAP names another.
start_broker() {
  if [ -n "${COMPAT_BOOTSTRAP:-}" ]; then bootstrap=$COMPAT_BOOTSTRAP; return; fi
  [ -f "$compat/../dist/src/main.js" ] || { echo 'dist is missing: npm run build' >&2; exit 1; }
  home=$(mktemp -d)
  local settings=(--port 0)
  while [[ ${1:-} == --* ]]; do settings+=("$1" "$2"); shift 2; done
  for setting in "$@"; do settings+=(--set "$setting"); done
  node "$compat/../dist/src/main.js" start --data "$home/data" --ready-file "$home/ready" "${settings[@]}" > "$home/out" 2>&1 &
  broker=$!
  trap 'kill "$broker" 2> /dev/null; wait "$broker" 2> /dev/null; rm -rf "$home"' EXIT
  for _ in $(seq 400); do
    if [ -s "$home/ready" ]; then
      bootstrap=$(node -p 'JSON.parse(require("fs").readFileSync(process.argv[1], "utf8")).bootstrap' "$home/ready")
      return
    fi
    kill -0 "$broker" 2> /dev/null || break
    sleep 0.05
  done
  cat "$home/out" >&2
  exit 1
}

# judge PASSED [--add]: every test of tests.allow must be among the lines of PASSED; --add lets the list grow, never shrink.
judge() {
  local passed=$1 allowed=$suite/tests.allow count=0 failed=0
  sort -u "$passed" -o "$passed"
  [ "${2:-}" = --add ] && { touch "$allowed"; sort -u "$allowed" "$passed" -o "$allowed"; }
  echo 'TAP version 14'
  while read -r name; do
    count=$((count + 1))
    if grep -qxF "$name" "$passed"; then echo "ok $count - $name"; else echo "not ok $count - $name"; failed=$((failed + 1)); fi
  done < "$allowed"
  echo "1..$count"
  comm -13 "$allowed" "$passed" | sed 's/^/# passes and is not in tests.allow yet: /'
  echo "$((count - failed)) passed, $failed failed"
  [ "$failed" = 0 ] && [ "$count" -gt 0 ]
}
