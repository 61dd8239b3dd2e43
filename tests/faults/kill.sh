#!/usr/bin/env bash
# kill -9 at moments spread over a whole run, then --resume: the outcome must be that of the run
# left alone, and the folder must hold the same files. Says how often a write was cut.
# Usage: tests/faults/kill.sh train|compare ROUNDS PROGRAM PYTHON DATA
set -euo pipefail
command=$1 rounds=$2 program=$3 python=$4 data=$5
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
unset "${!DIPTYCH_@}"

# Wide embeddings and one step an epoch: much of the time goes into writing checkpoints.
settings=(--image-size 16 --channels 8,16 --image-features 16 --text-features 16 --batch-size 64
  --threads 1 --ngram-buckets 20000 --word-features 64)
case $command in
  train) settings+=(--epochs 16) ;;
  compare) settings+=(--epochs 8 --seeds 2) ;;
esac
run=("$program" "$command" "$data" "${settings[@]}")

# What must be the same: the model to the bit and every epoch's figures; of a comparison everything
# but the times.
outcome() {
  ls "$1"
  case $command in
    train)
      sha256sum <"$1/model.safetensors"
      sed -E 's/"seconds":[^,}]*//' "$1/metrics.jsonl"
      ;;
    compare)
      ls "$1/trials"
      cat "$1/predictions.csv"
      "$python" - "$1/results.json" <<'END'
import json, sys
def without_times(value):
    if isinstance(value, dict):
        return {key: without_times(item) for key, item in value.items() if key not in ('seconds', 'created')}
    return [without_times(item) for item in value] if isinstance(value, list) else value
print(without_times(json.load(open(sys.argv[1]))))
END
      ;;
  esac
}

start=$(date +%s%N)
"${run[@]}" -o "$here/alone" >/dev/null 2>&1
took=$(($(date +%s%N) - start))
outcome "$here/alone" >"$here/expected"

right=0 cut=0 early=0 late=0
for ((round = 0; round < rounds; ++round)); do
  at=$(awk "BEGIN { srand($RANDOM); printf \"%.4f\", $took / 1e9 * ($round + rand()) / $rounds }")
  rm -rf "$here/run"
  "${run[@]}" -o "$here/run" >/dev/null 2>&1 &
  sleep "$at"
  kill -9 $! 2>/dev/null || true
  wait $! 2>/dev/null || true
  if [ -n "$(find "$here/run" -name '*.partial-*' 2>/dev/null)" ]; then cut=$((cut + 1)); fi
  if [ ! -d "$here/run" ]; then early=$((early + 1)); fi
  if [ -f "$here/run/model.safetensors" ] || [ -f "$here/run/report.html" ]; then late=$((late + 1)); fi

  if ! "${run[@]}" -o "$here/run" --resume >"$here/log" 2>&1; then
    echo "killed after $at s, then --resume failed:"
    cat "$here/log"
  elif ! outcome "$here/run" | diff "$here/expected" - >"$here/difference"; then
    echo "killed after $at s, then --resume gave another outcome:"
    head -c 2000 "$here/difference"
  else
    right=$((right + 1))
  fi
done
echo "$right of $rounds killed runs of $command were resumed to the outcome of the run left alone"
echo "killed before the folder was made: $early, while a file was being written: $cut, after the end: $late"
[ $right -eq "$rounds" ]
