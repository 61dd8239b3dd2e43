"""The first epoch from 2,000 JPEG files of 640×480 with their texts, and a later one: Diptych beside Keras'
pipeline and PyTorch's DataLoader with Pillow. Diptych's first epoch is a whole run of one, that
of the others from after their imports.
Usage: epochs.py PROGRAM [ROWS]    DIPTYCH_DATA: real photos to make the pictures from"""
import sys
from functools import partial

from pictures import make_data
from side_by_side import BEST_OF_PYTORCH, RESULTS, diptych_training, peer, side_by_side

program, rows = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 2000
data = make_data(RESULTS / f"data/jpeg_{rows}", rows, held_out=20)


def diptych():
    trained, _, seconds, _ = training(1)  # from start to end, the model written
    return {"first": trained / seconds, "later": trained / training(3)[1][-1]}


def training(epochs):
    return diptych_training(program, data, RESULTS / "model", "--epochs", epochs)


pytorch = {f"PyTorch, {workers} workers": partial(peer, "pytorch_train.py", data, 128, rows, 3, BEST_OF_PYTORCH, workers)
           for workers in (0, 1, 2)}
sys.exit(side_by_side(
    f"{rows} JPEG files of 640×480 and texts of 32 words, trained on as in the case of training; PyTorch in"
    " channels_last, with bf16 where the processor has it. Keras keeps decoded pictures, PyTorch's DataLoader decodes in every epoch",
    {"diptych": diptych, "Keras": partial(peer, "keras_train.py", data, 128, rows, 3)} | pytorch,
    {"first": "samples/s of the first epoch", "later": "samples/s of the third epoch"},
    [("first", "diptych", ["Keras"], ">=", 3), ("first", "diptych", list(pytorch), ">=", 2),
     ("later", "diptych", ["Keras"], ">=", 3), ("later", "diptych", list(pytorch), ">=", 3)]) > 0)
