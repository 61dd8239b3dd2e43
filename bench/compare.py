"""A whole comparison, 3 inputs × 5 seeds: Diptych beside the same protocol as a straightforward PyTorch
script. Takes a quarter of an hour a round, therefore one by default.
Usage: compare.py PROGRAM DATA [ROUNDS [SEEDS [EPOCHS]]]"""
import json, pathlib, sys, tempfile

from side_by_side import peer, run, side_by_side

program, data = sys.argv[1:3]
rounds, seeds, epochs = [*map(int, sys.argv[3:6]), *(1, 5, 30)[len(sys.argv) - 3:]]


def diptych():
    with tempfile.TemporaryDirectory() as folder:
        _, seconds, peak = run(program, "compare", data, "-o", folder, "--overwrite", "--seeds", seeds, "--epochs", epochs)
        recipes = json.loads(pathlib.Path(folder, "results.json").read_text())["recipes"]
    return {"time": seconds, "peak": peak} | {
        recipe["inputs"]: 100 * recipe["accuracy"]["mean"] for recipe in recipes}


def pytorch(*setting):
    def measured():
        _, seconds, _ = run(sys.executable, script, data, seeds, epochs, *setting)
    return measured
