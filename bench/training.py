"""A training epoch of the paper's network at 128 px, batch 32: Diptych beside PyTorch's settings, two
threads each, alternating. Prints medians in samples/s and the ratios with their range.
Usage: training.py PROGRAM DATA [ROUNDS]"""
import json, pathlib, statistics, subprocess, sys, tempfile

program, data, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 5
peer = pathlib.Path(__file__).parent / "peers" / "pytorch_train.py"
SIDE, THREADS = "128", "2"


def diptych():
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([program, "train", data, "-o", folder + "/run", "--preset", "paper", "--image-size", SIDE,
                        "--word-features", "128", "--precision", "bf16", "--epochs", "2", "--threads", THREADS,
                        "--validation-fraction", "0.01"], check=True, capture_output=True)
        epoch = json.loads(pathlib.Path(folder, "run/metrics.jsonl").read_text().splitlines()[-1])
        rows = subprocess.check_output([program, "info", folder + "/run", "--json"])
        return json.loads(rows)["provenance"]["rows"]["train"] / epoch["seconds"]


def pytorch(setting):
    return lambda: float(subprocess.check_output([sys.executable, peer, data, SIDE, THREADS, setting]))


contestants = {"diptych": diptych} | {f"PyTorch, {name}": pytorch(name) for name in ("plain", "channels_last", "bf16")}
speeds = {name: [] for name in contestants}
for round_ in range(rounds):
    for name in list(contestants)[:: 1 if round_ % 2 else -1]:
        speeds[name].append(contestants[name]())
for name, values in speeds.items():
    ratios = sorted(ours / theirs for ours, theirs in zip(speeds["diptych"], values))
    print(f"{name:24} {statistics.median(values):6.0f} samples/s    diptych / this: {statistics.median(ratios):.2f}"
          f" ({ratios[0]:.2f} to {ratios[-1]:.2f})")
