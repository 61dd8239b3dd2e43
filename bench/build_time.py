"""A clean build of the program from an empty folder, without ccache; only reported. Takes some minutes.
Usage: build_time.py    JOBS: compilers at once"""
import os, sys, tempfile, time

from side_by_side import run, side_by_side

jobs = os.environ.get("JOBS", len(os.sched_getaffinity(0)))
os.environ["CCACHE_DISABLE"] = "1"


def build():
    with tempfile.TemporaryDirectory() as folder:
        run("cmake", "--preset", "release", "-B", folder)
        _, seconds, _ = run("cmake", "--build", folder, "-j", jobs, "--target", "diptych")
        start = time.perf_counter()
        os.utime("src/cli/predict.cpp")
        run("cmake", "--build", folder, "-j", jobs, "--target", "diptych")
    return {"clean": seconds, "command": time.perf_counter() - start}


sys.exit(side_by_side(
    f"The target diptych, {jobs} compilers at once, ccache off", {"diptych": build},
    {"clean": "s from an empty folder", "command": "s after a change in src/cli/predict.cpp"}, [], rounds=1))
