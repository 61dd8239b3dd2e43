#!/usr/bin/env bash
# The paper in one command, on this machine: a server with 2,500 pictures, tables in the shape of
# COYO, a sample of 2,000 pairs, the comparison by the paper's preset and its report.
# Usage: bench/coyo.sh DATA OUT   (DATA: a folder with data.csv; OUT is replaced)
set -euo pipefail
data=$1 out=$2
here=$(cd "$(dirname "$0")" && pwd)
diptych=$here/../build/release/diptych python=$here/../.venv/bin/python
rm -rf "$out"
mkdir -p "$out"
export out data here diptych python
"$python" "$here/../tests/download/bad_server.py" --pictures "$out/coyo/pictures" --run '
  "$python" "$here/../tests/import/coyo_shaped.py" "$data/data.csv" "$out/coyo" 2500
  "$diptych" import coyo --pairs "$out/coyo/pairs/*.parquet" --labels "$out/coyo/labels/*.parquet" \
    --label-map "$out/coyo/names.csv" --sample 2000 -o "$out/sample" --allow-address 127.0.0.1'
"$diptych" compare "$out/sample" --preset paper -o "$out/compared"
