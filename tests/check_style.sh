#!/usr/bin/env bash
# Checks what a compiler does not: format, size budgets, direction of includes, words that do not
# belong in the repository. Looks at tracked files; prints each violation, then a summary.
# Usage: tests/check_style.sh [ROOT]
set -euo pipefail
export LC_ALL=C.UTF-8
here=$(cd "$(dirname "$0")" && pwd)
cd "${1:-$here/..}"
file_limit=400
function_limit=60
# Hosts that a file may name: reserved for examples, this machine, standards, the licence's own.
known_hosts='([a-z0-9-]+[.])*example([.](com|net|org))?|localhost|127[.]0[.]0[.]1|www[.]w3[.]org'
known_hosts+='|git-lfs([.]github[.]com)?|(dx[.])?doi[.]org|arxiv[.]org|www[.]apache[.]org'

if ! command -v clang-format >/dev/null; then
  echo "check_style: clang-format is missing: apt-get install clang-format" >&2
  exit 2
fi
mapfile -d '' tracked < <(git ls-files -z '*.h' '*.cpp')
sources=()  # without those that are deleted but not yet committed
for file in ${tracked[@]+"${tracked[@]}"}; do
  if [ -f "$file" ]; then sources+=("$file"); fi
done
if [ ${#sources[@]} -eq 0 ]; then
  echo "check_style: git knows no .h or .cpp file in $PWD" >&2
  exit 2
fi

check_format() {
  local first status=0
  for file in "${sources[@]}"; do
    if ! first=$(clang-format --dry-run -Werror "$file" 2>&1); then
      echo "${first%%: error:*}: not as clang-format writes it"
      status=1
    fi
  done
  return $status
}

check_file_size() {
  awk -v limit=$file_limit '
    function finish() {
      if (lines <= limit) return
      print file ": " lines " lines, limit " limit
      over = 1
    }
    FNR == 1 { finish(); file = FILENAME }
    { lines = FNR }
    END { finish(); exit over }' "${sources[@]}"
}

# clang-format puts the first line of a function, and its closing brace, in the first column.
check_function_size() {
  awk -v limit=$function_limit '
    FNR == 1 { start = 0 }
    /^}/ {
      if ($0 == "}" && start > 0 && FNR - start + 1 > limit) {
        print FILENAME ":" start ": a function of " FNR - start + 1 " lines, limit " limit
        over = 1
      }
      start = 0
    }
    /^[A-Za-z_~:]/ && !/^(public|private|protected):/ { start = FNR }
    END { exit over }' "${sources[@]}"
}

check_layers() { "$here/check_layers.sh" .; }

# Fails when a tracked text file has a line that matches the extended expression.
absent() {
  local status=0
  git grep -nIE "$1" || status=$?
  if [ $status -gt 1 ]; then
    echo "git grep failed"
    return 1
  fi
  [ $status -eq 1 ]
}

# The brackets keep these expressions from finding themselves.
check_paths() {
  absent '(^|[^A-Za-z0-9_.$})/-])/(work|home|root|Users|mnt|tmp|media)(/|[^A-Za-z0-9_-]|$)|[A-Z]:\\Users'
}
check_hosts() {
  local named
  named=$(git grep -nIoE '(https?|ftp|ssh|git)://([^/@[:space:]]+@)?[A-Za-z0-9.-]+' |
    grep -vE ":[0-9]+:[a-z]+://($known_hosts)\$" || true)
  named+=$(git grep -nIE '\b(10[.][0-9]+|192[.]168|172[.](1[6-9]|2[0-9]|3[01]))[.][0-9]+[.][0-9]+\b' ||
    true)
  [ -z "$named" ] || { echo "$named"; return 1; }
}
check_unfinished() { absent '\b(TO[D]O|FIX[M]E|HA[C]K|X[X]X)\b'; }
check_disabled() { absent '\bDISABLED[_]'; }

checks=(
  "format:check_format"
  "files of at most $file_limit lines:check_file_size"
  "functions of at most $function_limit lines:check_function_size"
  "direction of includes:check_layers"
  "no paths of one machine:check_paths"
  "no host names:check_hosts"
  "no unfinished work:check_unfinished"
  "no disabled tests:check_disabled"
)
summary=
failed=0
for entry in "${checks[@]}"; do
  if output=$(${entry##*:} 2>&1); then
    summary+="ok    ${entry%:*}"$'\n'
  else
    printf '%s:\n%s\n\n' "${entry%:*}" "$output"
    summary+="FAIL  ${entry%:*} ($(grep -c . <<<"$output"))"$'\n'
    failed=$((failed + 1))
  fi
done
printf '%s' "$summary"
echo "$((${#checks[@]} - failed)) of ${#checks[@]} checks passed, ${#sources[@]} files of C++"
[ $failed -eq 0 ]
