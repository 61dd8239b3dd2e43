#!/usr/bin/env bash
# Runs a case: a text file of commands and the output they must give. A line's mark says what it is:
#   # prose   $ a command   > more of it   | its stdout   ! its stderr   ? its exit code, if not 0
# What is not listed must be empty. "..." stands for anything within a line; alone, for any lines.
# "# needs: emoji" links what a case with "# makes: emoji" left behind into the case's empty folder.
# Usage: tests/cli/run.sh CASE PROGRAM PYTHON MADE
set -uo pipefail
case_file=$(realpath "$1") program=$(dirname "$2") python=$(dirname "$3") made=$4
here=$(mktemp -d)
trap 'rm -rf "$here" "$here".*' EXIT
unset "${!DIPTYCH_@}"
export PATH=$program:$python:$PATH LC_ALL=C.UTF-8
ln -s "$(dirname "$case_file")/tiny.toml" "$here"

# In a case: the machine cannot do what the next command is about.
skip() {
  echo "skipped: $*" >&2
  exit 77
}

# Whether the file $2 is what the file $1 expects: all of it becomes one extended expression.
matches() {
  local pattern got
  pattern=$(sed -e 's/[][\\.*^$(){}?+|]/\\&/g' -e 's/^\\\.\\\.\\\.$/\x02/' \
    -e 's/\\\.\\\.\\\./\x01/g' "$1" && echo .)
  got=$(cat "$2" && echo .)
  pattern=${pattern//$'\2\n'/$'(.*\n)?'}
  pattern=${pattern//$'\1'/$'[^\n]*'}
  [[ $got =~ ^$pattern$ ]]
}

command='' commands=0
run_command() {
  [ -n "$command" ] || return 0
  commands=$((commands + 1))
  (cd "$here" && eval "$command") >"$here.stdout" 2>"$here.stderr" </dev/null
  local got=$?
  if [ $got -eq 77 ]; then
    cat "$here.stderr"
    exit 77
  fi
  printf '%s' "$stdout" >"$here.expected_stdout"
  printf '%s' "$stderr" >"$here.expected_stderr"
  local name wrong=''
  for name in stdout stderr; do
    matches "$here.expected_$name" "$here.$name" || wrong+=" $name"
  done
  [ $got -eq "$status" ] || wrong+=" exit code $got instead of $status"
  [ -n "$wrong" ] || return 0
  echo "$case_file:$at: \$ $command"
  echo "wrong:$wrong"
  for name in stdout stderr; do
    diff -u --label "expected $name" --label "$name" "$here.expected_$name" "$here.$name"
  done
  exit 1
}

number=0
while IFS= read -r line || [ -n "$line" ]; do
  number=$((number + 1))
  rest=${line:2}
  case $line in
    '# needs: '*) for name in ${rest#needs: }; do ln -s "$made/$name" "$here"; done ;;
    '# makes: '*) makes=${rest#makes: } ;;
    '#'* | '') ;;
    '$ '*) run_command; command=$rest at=$number stdout='' stderr='' status=0 ;;
    '>' | '> '*) command+=$'\n'$rest ;;
    '|' | '| '*) stdout+=$rest$'\n' ;;
    '!' | '! '*) stderr+=$rest$'\n' ;;
    '? '*) status=$rest ;;
    *) echo "$case_file:$number: a line without a mark: $line"; exit 2 ;;
  esac
done <"$case_file"
run_command
[ $commands -gt 0 ] || { echo "$case_file: no command"; exit 2; }
if [ -n "${makes:-}" ]; then
  mkdir -p "$made"
  rm -rf "${made:?}/$makes"
  mv "$here/$makes" "$made/$makes"
fi
echo "$commands commands gave what they must"
