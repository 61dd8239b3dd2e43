"""What the benchmarks share: contestants take turns within one run, a ratio is made turn by turn and held
against its bar, and everything goes into docs/performance/CASE.json, of which bench/performance_page.py makes
docs/performance.md. BENCH_ROUNDS: number of turns."""
import datetime, importlib.metadata, json, os, pathlib, platform, statistics, subprocess, sys, tempfile, time

HERE = pathlib.Path(__file__).parent
RESULTS = pathlib.Path("runs/bench")  # data and models
FIGURES = pathlib.Path("docs/performance")
ROUNDS = int(os.environ.get("BENCH_ROUNDS", 5))
# Where the processor multiplies bf16, Diptych trains in it and PyTorch is at its best; elsewhere PyTorch's
# LSTM refuses it.
HAS_BF16 = " avx512_bf16 " in open("/proc/cpuinfo").read()
BEST_OF_PYTORCH = "bf16" if HAS_BF16 else "channels_last"
HOLDS = {">=": float.__ge__, "<=": float.__le__}
# The network that bench/peers build too: Fused in pytorch_network.py, and in keras_train.py.
NETWORK = ["--preset", "paper", "--image-size", "128", "--word-features", "128"]


def run(*command):
    """What it printed, its seconds from start to end, and its peak of memory in MiB."""
    with tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        child = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, stderr=errors)
        output = child.stdout.read().decode()
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            errors.seek(0)
            sys.exit(f"{' '.join(map(str, command))}:\n{errors.read().decode()[-2000:]}")
    return output, seconds, usage.ru_maxrss / 1024


def peer(script, *arguments):
    """The object that bench/peers/SCRIPT prints last, with its seconds and its peak of memory."""
    output, seconds, peak = run(sys.executable, HERE / "peers" / script, *arguments)
    return json.loads(output.splitlines()[-1]) | {"took": seconds, "peak": peak}


def diptych_training(program, data, folder, *options, network=NETWORK, launcher=()):
    """Rows it trained on, seconds of each epoch, of the whole program, and its peak of memory."""
    _, seconds, peak = run(*launcher, program, "train", data, "-o", folder, "--overwrite", *network, *options)
    rows = json.loads(run(program, "info", folder, "--json")[0])["provenance"]["rows"]["train"]
    lines = pathlib.Path(folder, "metrics.jsonl").read_text().splitlines()
    return rows, [json.loads(line)["seconds"] for line in lines], seconds, peak


def machine():
    def first(path, key):
        return next(line.split(":")[1].strip() for line in open(path) if line.startswith(key))

    name, family, model = (first("/proc/cpuinfo", key) for key in ("model name", "cpu family", "model\t"))
    memory = round(int(first("/proc/meminfo", "MemTotal").split()[0]) / 2**20)
    return (f"{name} (family {family}, model {model}), {len(os.sched_getaffinity(0))} processors, {memory} GiB, "
            f"{platform.freedesktop_os_release()['PRETTY_NAME']}")


def versions():
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True).stdout.strip()
    pinned = [line.split("==")[0] for line in (HERE / "requirements.txt").read_text().split()]
    return {"diptych": commit, "python": platform.python_version()} | {
        name: importlib.metadata.version(name) for name in pinned}


def ratio(values, ours, theirs, sign, bound):
    """Turn by turn, ours over the best of theirs; a bound of None is only reported."""
    best = (min if sign == "<=" else max)(theirs, key=lambda name: statistics.median(values[name]))
    turns = sorted(a / b for a, b in zip(values[ours], values[best]))
    middle = statistics.median(turns)
    verdict = "" if bound is None else "ok" if HOLDS[sign](middle, float(bound)) else "MISSED"
    return {"ours": ours, "theirs": best, "median": middle, "low": turns[0], "high": turns[-1], "sign": sign,
            "bound": bound, "verdict": verdict}


def ratio_line(made):
    held = f", {made['sign']} {made['bound']}: {made['verdict']}" if made["verdict"] else ""
    return (f"{made['ours']} / {made['theirs']}: {made['median']:.2f}"
            f" ({made['low']:.2f} to {made['high']:.2f}){held}")


def side_by_side(about, contestants, measures, bars, rounds=ROUNDS):
    """contestants: name → function that gives {measure: number}. measures: name → unit.
    bars: (measure, ours, [theirs], sign, bound). Returns how many bars were missed."""
    case, load = pathlib.Path(sys.argv[0]).stem, os.getloadavg()[0]
    values = {measure: {} for measure in measures}
    for turn in range(rounds):
        for name in list(contestants)[:: 1 if turn % 2 else -1]:
            for measure, value in contestants[name]().items():
                if measure in values:
                    values[measure].setdefault(name, []).append(value)
    made = {measure: [] for measure in measures}
    for measure, *bar in bars:
        made[measure].append(ratio(values[measure], *bar))
    for measure, unit in measures.items():
        print(f"{measure}, {unit}")
        for name in filter(values[measure].get, contestants):
            print(f"  {name:36} {statistics.median(values[measure][name]):10.5g}")
        print("".join(f"  {ratio_line(each)}\n" for each in made[measure]), end="", flush=True)
    shown = [os.path.relpath(part) if os.path.exists(part) else part for part in sys.argv]
    figures = {measure: {"unit": unit, "ratios": made[measure],
                         "values": {name: values[measure][name] for name in contestants if name in values[measure]}}
               for measure, unit in measures.items()}
    FIGURES.mkdir(exist_ok=True)
    (FIGURES / f"{case}.json").write_text(json.dumps({
        "case": case, "about": about, "command": " ".join([".venv-bench/bin/python", *shown]), "rounds": rounds,
        "date": str(datetime.date.today()), "machine": machine(), "load_before": load, "versions": versions(),
        "measures": figures}, indent=1) + "\n")
    return sum(each["verdict"] == "MISSED" for each in sum(made.values(), []))
