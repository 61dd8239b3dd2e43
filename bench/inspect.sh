#!/usr/bin/env bash
# Holds the inspector to its whole bars, of which `make test` runs smaller forms: 1,000 copies
# planted among 20,000 different pictures; 5 % of the emoji sample's labels flipped; label words
# planted in 0, 10 and 30 % of its texts.
# Usage: bench/inspect.sh DATA [BUILD]
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
data=$(realpath "$1") build=${2:-$here/build/release}
build=$(realpath "$build")
python=${PYTHON:-$here/.venv/bin/python}
DIPTYCH_WHOLE_BARS=1 "$build/diptych_data_test" --gtest_filter='Planted.*' | grep -E 'copies|FAILED'
"$python" - "$data" "$build/diptych" <<'END'
import csv, json, random, subprocess, sys, tempfile

data, program = sys.argv[1:]
rows = list(csv.DictReader(open(f'{data}/data.csv', encoding='utf-8')))
labels = sorted({row['label'] for row in rows})
failed = False


def inspected(changed):
    with tempfile.TemporaryDirectory() as folder:
        with open(f'{folder}/data.csv', 'w', encoding='utf-8', newline='') as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows({**row, 'image': f'{data}/{row["image"]}'} for row in changed)
        found = subprocess.run([program, 'inspect', folder, '--json'], capture_output=True, check=True)
    return json.loads(found.stdout)


def report(holds, text):
    global failed
    failed |= not holds
    print(text, '' if holds else 'FAILED')


for seed in range(1, 6):
    draw = random.Random(seed)
    flipped = set(draw.sample(range(len(rows)), len(rows) // 20))
    wrong = lambda label: draw.choice([other for other in labels if other != label])
    found = inspected([{**row, 'label': wrong(row['label'])} if i in flipped else row
                       for i, row in enumerate(rows)])
    doubted = {case['rows'][0] - 1 for finding in found['findings']
               if finding['key'] == 'probable_label_error' for case in finding['cases']}
    recall, precision = len(doubted & flipped) / len(flipped), len(doubted & flipped) / len(doubted)
    report(recall >= 0.7 and precision >= 0.6,
           f'flipped labels, seed {seed}: recall {recall:.3f}, precision {precision:.3f}')

# Labels that are one word each, and texts without any of them.
words = {label: label.split()[0].lower().rstrip('s') + 'ish' for label in labels}
for share in (0, 0.1, 0.3):
    draw = random.Random(7)
    planted = [{**row, 'label': words[row['label']],
                'text': (draw.choice(['a {}', '{}S', 'the {}, seen']).format(words[row['label']].title())
                         + ' ' if draw.random() < share else '') + row['text']} for row in rows]
    truly = sum(row['label'].lower() in row['text'].lower() for row in planted) / len(rows)
    told = sum(one['label_in_text'] for one in inspected(planted)['classes']) / len(rows)
    report(abs(told - truly) <= 0.01, f'label words planted in {truly:.3f}, told {told:.3f}')
sys.exit(failed)
END
