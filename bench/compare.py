"""A whole comparison, 3 inputs × 5 seeds: Diptych beside the same protocol as a straightforward PyTorch
script. Takes a quarter of an hour a round, therefore one by default.
Usage: compare.py PROGRAM DATA [ROUNDS [SEEDS [EPOCHS]]]"""
import json, pathlib, sys, tempfile

from side_by_side import HAS_BF16, peer, run, side_by_side

program, data = sys.argv[1:3]
rounds, seeds, epochs = [int(given) for given in sys.argv[3:6]] + [1, 5, 30][len(sys.argv) - 3:]


INPUTS = ("image", "text", "image,text")


def diptych():
    with tempfile.TemporaryDirectory() as folder:
        _, seconds, _ = run(program, "compare", data, "-o", folder, "--overwrite", "--seeds", seeds, "--epochs", epochs)
        recipes = json.loads(pathlib.Path(folder, "results.json").read_text())["recipes"]
    return {"speed": 3600 / seconds} | {inputs: 100 * recipes[inputs]["accuracy"]["mean"] for inputs in INPUTS}


def pytorch(*setting):
    answer = peer("pytorch_compare.py", data, seeds, epochs, *setting)
    return {"speed": 3600 / answer["took"]} | {inputs: 100 * answer[inputs] for inputs in INPUTS}


peers = {"PyTorch, channels_last": pytorch}
if HAS_BF16:
    peers["PyTorch, channels_last, bf16"] = lambda: pytorch("bf16")
sys.exit(side_by_side(
    f"Pictures alone, texts alone and both, {seeds} splits of the emoji sample, {epochs} epochs, batch 64, 80 px, from"
    " the start of the program to its end",
    {"diptych": diptych} | peers,
    {"speed": "comparisons an hour"} | {inputs: f"% of tests right from {inputs}" for inputs in INPUTS},
    [("speed", "diptych", list(peers), ">=", 3)] + [(inputs, "diptych", list(peers), ">=", 1.0) for inputs in INPUTS],
    rounds) > 0)
