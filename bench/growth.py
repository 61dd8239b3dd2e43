"""How time and memory of an epoch grow with the rows: from 2,000 to 200,000, pictures from the file of
decoded ones. The straight line through the times, its R², and the peak of memory.
Usage: growth.py PROGRAM"""
import csv, sys

import numpy
from pictures import make_data
from side_by_side import RESULTS, run, side_by_side

program, sizes = sys.argv[1], [2_000, 10_000, 50_000, 200_000]
few = make_data(RESULTS / "data/png128_1000", 1000, side=128)
OPTIONS = ["--image-size", 32, "--channels", "8,16", "--epochs", 2, "--cache-mb", 16, "--cache-dir", RESULTS / "cache"]


def repeated(count):
    """The pictures over and over, each row with its own text."""
    rows = list(csv.DictReader(open(few / "data.csv")))
    table = few / f"rows_{count}.csv"
    with open(table, "w", newline="") as file:
        written = csv.DictWriter(file, list(rows[0]))
        written.writeheader()
        for i in range(count):
            part = "validation" if i % 20 == 0 else "test" if i % 20 == 1 else "train"
            written.writerow(rows[i % len(rows)] | {"text": f"word{i % 997} word{i % 89}", "split": part})
    return table


def growth():
    seconds, peaks = [], []
    for table in map(repeated, sizes):
        folder = RESULTS / "growth"
        peaks.append(run(program, "train", table, "-o", folder, "--overwrite", *OPTIONS)[2])
        lines = (folder / "metrics.jsonl").read_text().splitlines()
        seconds.append(float(lines[-1].split('"seconds":')[1].split(",")[0]))
        print(f"  {table.name}: {seconds[-1]:.2f} s an epoch, {peaks[-1]:.0f} MiB", flush=True)
    slope, start = numpy.polyfit(sizes, seconds, 1)
    rest = numpy.array(seconds) - (slope * numpy.array(sizes) + start)
    return {"fit": float(1 - (rest**2).sum() / ((numpy.array(seconds) - numpy.mean(seconds)) ** 2).sum()),
            "rate": float(1 / slope), "peak_few": peaks[0], "peak_many": peaks[-1]}


measured = growth()
figures = {"2,000 rows": {"peak": measured["peak_few"]},
           "200,000 rows": {"peak": measured["peak_many"], "fit": measured["fit"], "rate": measured["rate"]},
           "a straight line": {"fit": 1.0}}
sys.exit(side_by_side(
    "An epoch over 2,000 to 200,000 rows, a small network at 32 px, pictures beyond 16 MB read from the file of decoded ones",
    {name: lambda values=values: values for name, values in figures.items()},
    {"fit": "R² of time by rows", "rate": "rows/s", "peak": "MiB at the most"},
    [("fit", "200,000 rows", ["a straight line"], ">=", 0.99), ("peak", "200,000 rows", ["2,000 rows"], "<=", 1.05)], 1) > 0)
