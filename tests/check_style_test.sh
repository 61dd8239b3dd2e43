#!/usr/bin/env bash
# check_style.sh passes a tree without fault, and names each fault that is put into it.
set -euo pipefail
check=$(cd "$(dirname "$0")" && pwd)/check_style.sh
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
cd "$tree"
git init -q
mkdir -p src/base src/text docs
printf '#include <string>\n\nint answer() { return 42; }\n' >src/base/answer.cpp
printf 'See https://example.com and https://arxiv.org/abs/1.\n' >docs/page.md
git add .
"$check" . >/dev/null || { echo 'a tree without fault fails'; "$check" .; exit 1; }

wrong=0
# names FAULT FILE TEXT: with this file the check fails for this fault, at this place, and no other.
names() {
  printf '%b' "$3" >"$2"
  git add "$2"
  if output=$("$check" . 2>&1); then
    echo "$1: passes $2"
    wrong=1
  elif [[ $output != *"$2"* || $output != *"FAIL  $1"* || $(grep -c '^FAIL' <<<"$output") != 1 ]]; then
    echo "$1: reported otherwise: $output"
    wrong=1
  fi
  git rm -qf "$2"
}
many() { for ((i = 0; i < $1; ++i)); do printf '%s' "$2"; done; }
# In pieces, so that this file has none of these faults itself.
names 'format' src/base/wide.cpp 'int  answer(){return 42;}\n'
names 'files of at most' src/base/long.cpp "$(many 401 '// line\n')"
names 'functions of at most' src/base/long.cpp "int answer() {\n$(many 59 '  ;\n')  return 42;\n}\n"
names 'direction of includes' src/text/up.cpp '#include "cli/command.h"\n'
names 'no paths of one machine' docs/paths.md 'Look into /ho''me/someone/data.\n'
names 'no host names' docs/hosts.md 'Get it from https:''//pypi.python.org/simple.\n'
names 'no host names' docs/hosts.md 'Get it from 10.''1.2.3.\n'
names 'no unfinished work' docs/plan.md 'TO''DO: write this.\n'
names 'no disabled tests' src/base/off_test.cpp 'TEST(Answer, DISABLED''_Is42) {}\n'

rm -r src
if "$check" . >/dev/null 2>&1; then
  echo 'a tree without sources passes'
  wrong=1
fi
exit $wrong
