"""The accuracy of Diptych, Keras and PyTorch after as many epochs of the case of training, on splits of the
emoji sample that keep groups whole; a turn is a split. Takes minutes for each.
Usage: equal_epochs.py PROGRAM DATA [ROUNDS [EPOCHS]]"""
import csv, itertools, json, pathlib, random, sys

from side_by_side import RESULTS, diptych_training, peer, run, side_by_side

program, data = sys.argv[1], pathlib.Path(sys.argv[2])
rounds, epochs = [int(given) for given in sys.argv[3:5]] + [5, 15][len(sys.argv) - 3:]


def split(seed):
    """A folder with the sample's pictures and a data.csv with a column split."""
    folder = RESULTS / f"data/split{seed}"
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "images").exists():
        (folder / "images").symlink_to((data / "images").resolve())
    rows = list(csv.DictReader(open(data / "data.csv", encoding="utf-8")))
    groups = sorted({row["group"] for row in rows})
    random.Random(seed).shuffle(groups)
    parts = dict(zip(groups, (("test" if i < len(groups) // 5 else "train") for i in range(len(groups)))))
    with open(folder / "data.csv", "w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["image", "text", "label", "split"])
        table.writerows([row["image"], row["text"], row["label"], parts[row["group"]]] for row in rows)
    return folder


def diptych(folder):
    model = RESULTS / "equal_epochs_model"
    diptych_training(program, folder, model, "--precision", "bf16", "--epochs", epochs, "--validation-fraction", 0.01)
    scores = json.loads(run(program, "evaluate", model, folder, "--split", "test", "--json")[0])
    return {"accuracy": scores["accuracy"]["mean"]}


def in_turn(work):
    seeds = itertools.count(1)
    return lambda: {"accuracy": 100 * work(split(next(seeds)))["accuracy"]}


peers = {"Keras": lambda folder: peer("keras_train.py", folder, 128, 2000, epochs),
         "PyTorch, channels_last, bf16": lambda folder: peer("pytorch_train.py", folder, 128, 2000, epochs, "bf16", "memory")}
sys.exit(side_by_side(
    f"The network, optimiser and batches of the case of training, {epochs} epochs, a fifth of the emoji sample tested",
    {name: in_turn(work) for name, work in ({"diptych, bf16": diptych} | peers).items()}, {"accuracy": "% of tests right"},
    [("accuracy", "diptych, bf16", [name], ">=", 0.98) for name in peers], rounds) > 0)
