"""Training steps of the paper's network at 128 px, batch 32, rows in memory: Diptych beside Keras and
PyTorch's settings, and the peak of memory of each.
Usage: training.py PROGRAM DATA [ROWS]"""
import sys
from functools import partial

from pictures import deal
from side_by_side import HAS_BF16, RESULTS, diptych_training, peer, side_by_side

program = sys.argv[1]
ROWS = int(sys.argv[3]) if len(sys.argv) > 3 else 1024  # enough for a steady speed
data = deal(sys.argv[2], RESULTS / f"data/emoji_{ROWS}", 1, 16, ROWS)
SETTINGS = {"plain": "fp32", "channels_last": "channels_last", "compiled": "compiled, channels_last"}
if HAS_BF16:
    SETTINGS |= {"bf16": "channels_last, bf16", "compiled_bf16": "compiled, channels_last, bf16"}


def diptych():
    rows, epochs, _, peak = diptych_training(program, data, RESULTS / "model", "--epochs", 2,
                                             "--validation-fraction", 0.01)
    return {"later": rows / epochs[-1], "peak": peak}


pytorch = {f"PyTorch, {name}": partial(peer, "pytorch_train.py", data, 128, ROWS, 2, setting, "memory")
           for setting, name in SETTINGS.items()}
sys.exit(side_by_side(
    f"One epoch after a first one, {ROWS} rows of the emoji sample in memory: convolutions of 32, 64 and 128 channels with pooling"
    " at 128 px, LSTM of 128 over at most 32 words, dense layer of 128, batch 32, Adam",
    {"diptych": diptych, "Keras": partial(peer, "keras_train.py", data, 128, ROWS, 2)} | pytorch,
    {"later": "samples/s", "peak": "MiB at the most"},
    [("later", "diptych", ["Keras"], ">=", 2.2), ("later", "diptych", list(pytorch), ">=", 1.8),
     ("peak", "diptych", list(pytorch), "<=", 0.6), ("peak", "diptych", ["Keras"], "<=", None)]) > 0)
