#!/usr/bin/env bash
# check_layers.sh passes a tree that is in order, and fails on each include that is not.
set -euo pipefail
check=$(cd "$(dirname "$0")" && pwd)/check_layers.sh
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
cd "$tree"

plant() { mkdir -p "$(dirname "$1")" && printf '#include %s\n' "${@:2}" >"$1"; }
plant src/base/error.h '<string>'
plant src/data/table.cpp '"data/table.h"' '"image/image.h"' '"text/unicode.h"' '"base/error.h"'
plant src/nn/layers.h '<torch/torch.h>' '"metrics/scores.h"'
plant src/cli/main.cpp '<CLI/CLI.hpp>' '"train/trainer.h"' '"diptych/model.h"'
plant include/diptych/model.h '<vector>' '"diptych/batch.h"'
plant tests/any_test.cpp '"cli/main.h"'
"$check" . >/dev/null || { echo 'a tree in order fails'; exit 1; }

wrong=0
# refuses FILE INCLUDE WORDS: with this include the check fails, at this place and in these words.
refuses() {
  plant "$1" "$2"
  if output=$("$check" . 2>&1); then
    echo "$1 may include $2"
    wrong=1
  elif [[ $output != *"$1:1: "*"$3"* ]]; then
    echo "$1 with $2 is refused in other words: $output"
    wrong=1
  fi
  rm "$1"
}
refuses src/base/up.cpp '"config/config.h"' 'base/ may not include config/config.h'
refuses src/image/side.h '"text/unicode.h"' 'image/ may not include'
refuses src/text/side.h '"image/image.h"' 'text/ may not include'
refuses src/report/up.cpp '"cli/command.h"' 'report/ may not include'
refuses src/report/torch.cpp '<torch/torch.h>' 'belongs to nn/ and train/ only'
refuses src/cli/aten.cpp '<ATen/Parallel.h>' 'belongs to nn/ and train/ only'
refuses include/diptych/up.h '"data/dataset.h"' 'include/ may not include'
refuses src/data/relative.cpp '"../base/error.h"' 'is relative'
refuses src/odds/new.cpp '"base/error.h"' 'has no place in the order'

rm -r src include tests
if "$check" . >/dev/null 2>&1; then
  echo 'a tree without sources passes'
  wrong=1
fi
exit $wrong
