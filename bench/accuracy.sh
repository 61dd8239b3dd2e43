#!/usr/bin/env bash
# Are the models good enough? Compares on the emoji sample with both presets and with the Korean
# text, and holds the means over 5 seeds against the least that is expected of each.
# Usage: bench/accuracy.sh DATA OUT
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
data=$1 out=$2
compare() {
  local name=$1
  shift
  echo "== $name: diptych compare $data -o $out/$name $*"
  "$root/build/release/diptych" compare "$data" -o "$out/$name" --overwrite "$@" 2>/dev/null
}
mkdir -p "$out"
compare default
compare paper --preset paper
compare korean --text-column keywords_ko
"$root/.venv/bin/python" - "$out" <<'END'
import json, sys
least = {"default": {"image": 0.73, "text": 0.78, "image,text": 0.85},
         "paper": {"image": 0.65, "text": 0.73, "image,text": 0.77}, "korean": {}}
missed = 0
for name, bars in least.items():
    with open(f"{sys.argv[1]}/{name}/results.json", encoding="utf-8") as file:
        results = json.load(file)
    for recipe, bar in bars.items():
        mean = results["recipes"][recipe]["accuracy"]["mean"]
        missed += mean < bar
        print(f"{name:8} {recipe:11} {mean:.4f}, at least {bar}: {'ok' if mean >= bar else 'MISSED'}")
    helps = results["verdict"]["text"] == "helps"
    missed += not helps
    print(f"{name:8} {results['verdict']['sentence']}")
sys.exit(missed > 0)
END
