"""The accuracy of Diptych, Keras and PyTorch after as many epochs of the case of training, on splits of the
emoji sample that keep groups whole; a turn is a split. Takes minutes for each.
Usage: equal_epochs.py PROGRAM DATA [ROUNDS [EPOCHS]]"""
import itertools, json, sys

from pictures import deal
from side_by_side import BEST_OF_PYTORCH, RESULTS, diptych_training, peer, run, side_by_side

program, data = sys.argv[1:3]
rounds, epochs = [int(given) for given in sys.argv[3:5]] + [5, 15][len(sys.argv) - 3:]
TEST = 374  # a fifth of the sample


def diptych(folder):
    model = RESULTS / "equal_epochs_model"
    diptych_training(program, folder, model, "--epochs", epochs, "--validation-fraction", 0.01)
    scores = json.loads(run(program, "evaluate", model, folder, "--split", "test", "--json")[0])
    return {"accuracy": scores["accuracy"]["mean"]}


def in_turn(work):
    seeds = itertools.count(1)

    def measured():
        seed = next(seeds)
        return {"accuracy": 100 * work(deal(data, RESULTS / f"data/split{seed}", seed, TEST, 2000))["accuracy"]}
    return measured


def keras(folder):
    return peer("keras_train.py", folder, 128, 2000, epochs)


def pytorch(folder):
    return peer("pytorch_train.py", folder, 128, 2000, epochs, BEST_OF_PYTORCH, "memory")


contestants = {"diptych": diptych, "Keras": keras, "PyTorch": pytorch}
sys.exit(side_by_side(
    f"The network, optimiser and batches of the case of training, {epochs} epochs, a fifth of the emoji sample tested",
    {name: in_turn(work) for name, work in contestants.items()}, {"accuracy": "% of tests right"},
    [("accuracy", "diptych", [name], ">=", 0.98) for name in list(contestants)[1:]], rounds) > 0)
