"""Answers with one network and the same weights: Diptych in fp32, bf16 and int8 beside ONNX Runtime in
fp32 and int8, two threads. The rate of the network on batches of 32 that lie ready; the rate from JPEG
files of 640×480, which both decode; one row after the other from its file. And how many answers of int8
are those of fp32.
Usage: predict.py PROGRAM PREDICT_BENCH [ROWS]    DIPTYCH_DATA: real photos to make the pictures from"""
import csv, json, sys

from pictures import make_data
from side_by_side import HAS_BF16, RESULTS, diptych_training, peer, run, side_by_side

program, bench = sys.argv[1:3]
rows = int(sys.argv[3]) if len(sys.argv) > 3 else 2000
FEW = 64
data, model = make_data(RESULTS / f"data/jpeg_{rows}", rows, held_out=20), RESULTS / "model"
small = model / "int8.safetensors"
diptych_training(program, data, model, "--epochs", 4)
run(program, "quantize", model, data, "-o", small, "--largest-drop", 100)
peer("pytorch_export.py", model / "model.safetensors", model)
peer("onnx_quantize.py", model, data)
lines = (data / "data.csv").read_text().splitlines(keepends=True)
(data / "few.csv").write_text("".join(lines[:FEW + 1]))


def answers(arithmetic, table="data.csv"):
    """Seconds of the program, start and end with it, and what it answered."""
    file = small if arithmetic == "int8" else model
    seconds = run(program, "predict", file, data / table, "-o", model / "answers.csv", "--arithmetic", arithmetic)[1]
    return seconds, list(csv.DictReader(open(model / "answers.csv")))


def diptych(arithmetic):
    few, all_rows = answers(arithmetic, "few.csv")[0], answers(arithmetic)[0]
    measured = json.loads(run(bench, small if arithmetic == "int8" else model, data, arithmetic)[0])
    return measured | {"files": (len(lines) - 1 - FEW) / (all_rows - few), "same": same(arithmetic)}


def same(arithmetic):
    pairs = zip(answers("fp32")[1], answers(arithmetic)[1], strict=True)
    return 100 * sum(a["class"] == b["class"] for a, b in pairs) / (len(lines) - 1)


def onnx(network):
    measured = peer("onnx_predict.py", model, data, 32, network)
    pairs = list(zip(onnx_answers, measured["answers"], strict=True))
    return measured | {"same": 100 * sum(a[0] == b[0] for a, b in pairs) / len(pairs)}


onnx_answers = peer("onnx_predict.py", model, data, 32, "network.onnx")["answers"]
for row, (name, probability) in zip(answers("fp32")[1], onnx_answers, strict=True):
    if row["class"] != name or abs(float(row["probability"]) - probability) > 1e-3:
        sys.exit(f"not the same network: {row} is {name}, {probability} in ONNX Runtime")
contestants = {f"diptych, {kind}": lambda kind=kind: diptych(kind) for kind in ("fp32", "bf16", "int8")} | {
    "ONNX Runtime, fp32": lambda: onnx("network.onnx"), "ONNX Runtime, int8": lambda: onnx("int8.onnx")}


def only_there(bar):
    """Without instructions for them bf16 and 8-bit integers save memory, not time."""
    return bar if HAS_BF16 else None


fp32, int8 = ["ONNX Runtime, fp32"], ["ONNX Runtime, int8"]
sys.exit(side_by_side(
    f"The fused network of the case of training, weights written by torch.onnx, {rows} rows with texts of 32 words, "
    "batches of 32, two threads; int8 of ONNX Runtime by its static quantization of the convolutions and the dense "
    f"layers. Diptych's rate from files is that of the program, a run of {FEW} rows subtracted; ONNX Runtime's is"
    " with Pillow in two threads, reduced decoding",
    contestants, {"network": "rows/s", "files": "rows/s from JPEG files", "one": "ms for one row from its file",
                  "same": "% of answers as in fp32"},
    [("network", "diptych, fp32", fp32, ">=", 1.0), ("network", "diptych, bf16", fp32, ">=", only_there(1.5)),
     ("network", "diptych, int8", int8, ">=", only_there(1.5)), ("network", "diptych, int8", fp32, ">=", only_there(2.0)),
     ("files", "diptych, fp32", fp32, ">=", None), ("one", "diptych, fp32", fp32, "<=", 1.0)]) > 0)
