"""From the start of the process to the first answer for one picture and text: Diptych beside PyTorch.
Usage: cold_start.py PROGRAM    DIPTYCH_DATA: real photos to make the picture from"""
import sys

from pictures import make_data
from side_by_side import HERE, RESULTS, diptych_training, peer, run, side_by_side

program = sys.argv[1]
data, model = make_data(RESULTS / "data/jpeg_200", 200, held_out=20), RESULTS / "small_model"
diptych_training(program, data, model, "--epochs", 1)
peer("pytorch_export.py", model / "model.safetensors", model)
picture, text = data / "images/00000.jpg", "word1 word2 word3"


def measured(*command):
    _, seconds, peak = run(*command)
    return {"start": 1000 * seconds, "peak": peak}


peers = ["PyTorch"]
sys.exit(side_by_side(
    "Process start, loading the program and its libraries, loading the fused network of the case of training,"
    " decoding a JPEG of 640×480, one answer",
    {"diptych": lambda: measured(program, "predict", model, "--image", picture, "--text", text),
     "PyTorch": lambda: measured(sys.executable, HERE / "peers/pytorch_predict.py", model, picture, text)},
    {"start": "ms", "peak": "MiB at the most"},
    [("start", "diptych", peers, "<=", 0.2), ("peak", "diptych", peers, "<=", None)]) > 0)
