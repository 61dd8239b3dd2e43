"""Training in two processes of one thread beside one process of two threads: the same rows, settings and
batches, the defaults. Usage: processes.py PROGRAM DATA"""
import sys
from functools import partial

from side_by_side import RESULTS, diptych_training, side_by_side

program, data = sys.argv[1:3]
TORCHRUN = [".venv/bin/torchrun", "--standalone", "--no-python", "--nproc-per-node", 2]


def epochs(threads, launcher):
    rows, seconds, _, _ = diptych_training(program, data, RESULTS / "model", "--threads", threads, "--epochs", 6,
                                           network=[], launcher=launcher)
    return {"later": rows * (len(seconds) - 1) / sum(seconds[1:])}


sys.exit(side_by_side(
    "Epochs after a first one of the emoji sample, default settings, batches of 64 rows in all",
    {"two processes of one thread": partial(epochs, 1, TORCHRUN),
     "one process of two threads": partial(epochs, 2, []), "one process of one thread": partial(epochs, 1, [])},
    {"later": "samples/s"},
    [("later", "two processes of one thread", ["one process of two threads"], ">=", 0.95),
     ("later", "two processes of one thread", ["one process of one thread"], ">=", None)]) > 0)
