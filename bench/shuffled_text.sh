#!/usr/bin/env bash
# Is the verdict honest? Shuffles the text column between rows, so that it cannot help, and asks for
# the verdict, 20 times over; at most one may be "helps". Usage: bench/shuffled_text.sh DATA OUT
# [OPTIONS of compare]. ROUNDS (20) says how often; options such as --epochs make a round shorter.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
data=$(realpath "$1") out=$2
shift 2
rounds=${ROUNDS:-20}
mkdir -p "$out"
false_helps=0
for round in $(seq "$rounds"); do
  table=$data/.shuffled-$round.csv
  trap 'rm -f "$table"' EXIT
  "$root/.venv/bin/python" - "$data/data.csv" "$table" "$round" <<'END'
import csv, random, sys
source, target, round_ = sys.argv[1], sys.argv[2], int(sys.argv[3])
with open(source, encoding="utf-8", newline="") as file:
    rows = list(csv.DictReader(file))
texts = [row["text"] for row in rows]
random.Random(round_).shuffle(texts)
with open(target, "w", encoding="utf-8", newline="") as file:
    writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
    writer.writeheader()
    writer.writerows(row | {"text": text} for row, text in zip(rows, texts))
END
  "$root/build/release/diptych" compare "$table" -o "$out/$round" --overwrite \
    --recipe image --recipe image,text --seed "$((round * 100))" "$@" >"$out/$round.txt" 2>/dev/null
  rm -f "$table"
  sentence=$(tail -n 1 "$out/$round.txt")
  echo "$round of $rounds: $sentence"
  case $sentence in *"text helps"*) false_helps=$((false_helps + 1)) ;; esac
done
echo "$false_helps of $rounds shuffled texts were said to help; at most 1 may be"
[ "$false_helps" -le 1 ]
