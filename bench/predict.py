"""Answers with one network and the same weights, fp32: Diptych beside ONNX Runtime. The rate of the network:
Diptych reads pictures that are as large as its input, ONNX Runtime gets arrays. The rate from files of
640×480: both decode. Start-up is not in it: a run of few rows is subtracted from one of all.
Usage: predict.py PROGRAM [ROWS [REQUESTS]]    REQUESTS: a program that prints, for MODEL DATA COUNT,
the median in ms of one row after the other    DIPTYCH_DATA: real photos to make the pictures from"""
import csv, pathlib, sys

from pictures import make_data
from side_by_side import RESULTS, diptych_training, peer, run, side_by_side

program, rows = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 2000
requests = sys.argv[3] if len(sys.argv) > 3 else None
FEW, BATCH = 64, 32
data = {"files": make_data(RESULTS / f"data/jpeg_{rows}", rows, held_out=20),
        "network": make_data(RESULTS / f"data/png128_{rows}", rows, side=128)}
model = RESULTS / "model"
diptych_training(program, data["files"], model, "--precision", "bf16", "--epochs", 1)
peer("pytorch_export.py", model / "model.safetensors", model)
for folder in data.values():
    lines = (folder / "data.csv").read_text().splitlines(keepends=True)
    (folder / "few.csv").write_text("".join(lines[:FEW + 1]))


def rate(folder):
    few = run(program, "predict", model, folder / "few.csv", "-o", model / "few.csv")[1]
    seconds = run(program, "predict", model, folder / "data.csv", "-o", model / "answers.csv")[1]
    return (len(list(open(folder / "data.csv"))) - 1 - FEW) / (seconds - few)


def diptych():
    measured = {name: rate(folder) for name, folder in data.items()}
    if requests:
        measured["one"] = float(run(requests, model, data["files"], 200)[0])
    return measured


def onnx():
    network, files = (peer("onnx_predict.py", model, data[name], BATCH) for name in ("network", "files"))
    return {"network": network["network"], "files": files["files"], "one": files["one"], "answers": network["answers"]}


def hold_same_answers():
    rate(data["network"])
    ours = csv.DictReader(open(model / "answers.csv"))
    for row, (name, probability) in zip(ours, onnx()["answers"], strict=True):
        if row["class"] != name or abs(float(row["probability"]) - probability) > 1e-3:
            sys.exit(f"not the same network: {row} is {name}, {probability} in ONNX Runtime")


hold_same_answers()
contestants = {"diptych, fp32": diptych, "ONNX Runtime, fp32": onnx}
bars = [(name, *contestants.keys(), sign, bound) for name, sign, bound in [
    ("network", ">=", 1.0), ("files", ">=", None), ("one", "<=", 1.0)][: 3 if requests else 2]]
sys.exit(side_by_side(
    f"The fused network of the case of training, weights written by torch.onnx, {rows} rows with texts of 32 words, "
    "two threads. Network: Diptych decodes PNG files of 128×128, ONNX Runtime gets arrays. Files: both decode JPEG"
    f" of 640×480. Diptych's rates are those of the program, a run of {FEW} rows subtracted",
    contestants, {"network": "rows/s", "files": "rows/s from JPEG files", "one": "ms for one row from its file"},
    [(measure, ours, [theirs], sign, bound) for measure, ours, theirs, sign, bound in bars]) > 0)
