#!/usr/bin/env bash
# Checks the direction of dependence: a folder of src/ may include what stands left of it in `order`
# (image and text never each other), include/ nothing of src/, and torch stays in nn/ and train/.
# Prints file:line of each violation. Usage: tests/check_layers.sh [ROOT]
set -euo pipefail
cd "${1:-$(dirname "$0")/..}"
# Folders joined by a comma share a place: neither may include the other.
order='base config image,text data download,metrics nn train report search serve cli'

folders=()
for folder in src include tests fuzz bench examples; do
  if [ -d "$folder" ]; then folders+=("$folder"); fi
done
if [ ! -d src ]; then
  echo "check_layers: no src/ in $PWD" >&2
  exit 2
fi

includes=$(grep -rnE --include='*.'{h,hpp,cpp,cc,cxx,inc,cu} \
  '^[[:space:]]*#[[:space:]]*include[[:space:]]*["<]' "${folders[@]}" || true)

awk -v order="$order" '
  function report(message) {
    print place ": " message
    ++violations
  }
  BEGIN {
    count = split(order, places, " ")
    for (i = 1; i <= count; ++i) {
      shared = split(places[i], names, ",")
      for (j = 1; j <= shared; ++j) rank[names[j]] = i
    }
  }
  match($0, /^[^:]+:[0-9]+:/) {
    place = substr($0, 1, RLENGTH - 1)
    path = substr($0, RLENGTH + 1)
    sub(/^[^"<]*["<]/, "", path)
    sub(/[">].*$/, "", path)
    ++checked

    depth = split(place, parts, "/")
    layer = parts[1] == "src" && depth > 2 ? parts[2] : ""
    if (layer != "") ++in_layers
    target = path
    if (!sub(/\/.*$/, "", target)) target = ""

    if (layer != "" && !(layer in rank)) {
      report("src/" layer " has no place in the order of layers")
    } else if (path ~ /(^|\/)\.\.?\//) {
      report("\"" path "\" is relative: name it from src/")
    } else if (target ~ /^(torch|ATen|c10)$/) {
      if (layer != "nn" && layer != "train") report("<" path "> belongs to nn/ and train/ only")
    } else if (target in rank) {
      if (parts[1] == "include") {
        report("include/ may not include " path)
      } else if (layer != "" && layer != target && rank[target] >= rank[layer]) {
        report(layer "/ may not include " path)
      }
    }
  }
  END {
    if (in_layers < 1) {
      print "check_layers: no include found in src/, so nothing was checked"
      exit 2
    }
    if (violations > 0) {
      print violations " of " checked " includes are against the order of layers: " order
      exit 1
    }
    print checked " includes follow the order of layers"
  }' <<<"$includes"
