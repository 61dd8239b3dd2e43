"""Writes a million rows as CSV and as Parquet, and opens both: open_rows.py PROGRAM FOLDER."""

import pathlib
import random
import subprocess
import sys

import pyarrow
import pyarrow.csv
import pyarrow.parquet

ROWS = 1_000_000


def table():
    draw = random.Random(1)
    words = [f"word{i}" for i in range(5000)]
    return pyarrow.table({
        "image": [f"images/{i // 1000:04d}/{i:07d}.jpg" for i in range(ROWS)],
        "text": [" ".join(draw.choices(words, k=8)) for _ in range(ROWS)],
        "label": [f"class {i % 10}" for i in range(ROWS)],
    })


program, folder = sys.argv[1], pathlib.Path(sys.argv[2])
folder.mkdir(parents=True, exist_ok=True)
rows = table()
pyarrow.csv.write_csv(rows, folder / "rows.csv")
pyarrow.parquet.write_table(rows, folder / "rows.parquet")
for name in ("rows.csv", "rows.parquet"):
    print(name, end=": ", flush=True)
    subprocess.run([program, folder / name], check=True)
    (folder / name).unlink()
