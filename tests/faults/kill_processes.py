"""kill -9 of one of two processes that share a training, at moments spread over the run: the other must
name it and end. --resume, in two processes and in one by turns, must then take the course of the run left
alone, in two to the bit, and leave the same files.
Usage: kill_processes.py PROGRAM DATA ROUNDS"""
import json, os, pathlib, random, signal, subprocess, sys, tempfile, time

program, data, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])
here = tempfile.TemporaryDirectory()
TORCHRUN = [pathlib.Path(sys.executable).parent / "torchrun", "--standalone", "--no-python", "--nproc-per-node", "2"]
EPOCHS = 40
# Wide embeddings and one step an epoch: much of the time goes into writing checkpoints.
SETTINGS = ("--image-size 16 --channels 8,16 --image-features 16 --text-features 16 --batch-size 64 --threads 1"
            " --ngram-buckets 20000 --word-features 64 --precision fp32").split() + ["--epochs", str(EPOCHS)]
environment = {name: value for name, value in os.environ.items() if not name.startswith("DIPTYCH_")}
NAMES = "train_loss", "train_accuracy", "validation_loss", "validation_accuracy"


def start(folder, launcher, *more):
    command = [*launcher, program, "train", data, "-o", folder, *SETTINGS, *more]
    return subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                            env=environment | {"OMP_NUM_THREADS": "1"})


def process_of(launcher, rank):
    """Its number, once it is there."""
    while launcher.poll() is None:
        for child in pathlib.Path(f"/proc/{launcher.pid}/task/{launcher.pid}/children").read_text().split():
            try:
                variables = pathlib.Path(f"/proc/{child}/environ").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"RANK=%d" % rank in variables:
                return int(child)
        time.sleep(0.002)
    sys.exit(f"torchrun started no process {rank}:\n{launcher.stderr.read()}")


def outcome(folder):
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    course = [[json.loads(line)[name] for name in NAMES] for line in lines]
    return course, sorted(path.name for path in folder.iterdir())


def difference(course, expected):
    if len(course) != len(expected):
        return float("inf")
    return max(abs(a - b) for one, other in zip(course, expected) for a, b in zip(one, other))


def killed(folder, victim, seconds):
    """What the run said whose process `victim` was killed so long after it began."""
    run = start(folder, TORCHRUN)
    number = process_of(run, victim)
    time.sleep(seconds)
    try:
        os.kill(number, signal.SIGKILL)
    except ProcessLookupError:
        pass
    return run.communicate(timeout=120)[1]


alone = pathlib.Path(here.name, "alone")
run = start(alone, TORCHRUN)
process_of(run, 0)
began = time.monotonic()
if run.wait() != 0:
    sys.exit(run.stderr.read())
took = time.monotonic() - began
course, files = outcome(alone)

named = early = late = wrong = furthest = 0
for round in range(rounds):
    folder, victim = pathlib.Path(here.name, f"run-{round}"), random.randrange(2)
    at = took * (round + random.random()) / rounds
    said = killed(folder, victim, at)
    # Before the processes met there was nobody to miss it; at the end nobody does.
    is_named = f"diptych: error: process {victim} of 2 was lost\n  run the same command with --resume" in said
    is_early, is_late = "epoch   1" not in said, f"epoch {EPOCHS:3}" in said
    named, early, late = named + is_named, early + (is_early and not is_named), late + (is_late and not is_named)
    processes = 2 - round % 2
    resumed = start(folder, TORCHRUN if processes == 2 else [], "--resume")
    errors = resumed.communicate(timeout=120)[1]
    apart = difference(outcome(folder)[0], course) if resumed.returncode == 0 else float("inf")
    furthest = max(furthest, apart)
    right = apart <= (0 if processes == 2 else 1e-3) and outcome(folder)[1] == files
    if right and (is_named or is_early or is_late):
        continue
    wrong += 1
    print(f"process {victim} killed after {at:.3f} s, resumed in {processes}: {apart} from the run left alone")
    print(said[-1500:], errors[-1500:], sep="\n--- resumed:\n")
print(f"{rounds - wrong} of {rounds} runs that lost a process were resumed to the course of the run left alone"
      f" (at most {furthest:.0e} apart)")
print(f"the other process named the lost one: {named}; killed before the first epoch: {early}, after the last: {late}")
sys.exit(wrong > 0)
