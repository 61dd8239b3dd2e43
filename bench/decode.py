"""JPEG of 640×480 to a square of 128, one thread: Diptych's path beside Pillow's full decode and
OpenCV's reduced one, and Diptych with two threads. The order alternates; prints the medians of the
ratios with their range, and fails below what is expected.
Usage: decode.py PROGRAM [ROUNDS]    DIPTYCH_DATA: real photos to make the pictures from"""
import os, pathlib, statistics, subprocess, sys, tempfile, time

import cv2
import numpy
from PIL import Image

program, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 7
SIDE, PICTURES = 128, 400
cv2.setNumThreads(1)


def pictures(folder):
    photos = sorted(pathlib.Path(os.environ.get("DIPTYCH_DATA", "nowhere"), "photos").glob("*.[Jj][Pp]*[Gg]"))
    random = numpy.random.default_rng(1)
    for i in range(PICTURES):
        if photos:
            image = Image.open(photos[i % len(photos)]).convert("RGB").resize((640, 480))
        else:  # patches of colour under grain, about as large a file as a photo
            patches = Image.fromarray(random.integers(0, 256, (15, 20, 3), dtype=numpy.uint8))
            grain = random.normal(0, 8, (480, 640, 3))
            smooth = numpy.asarray(patches.resize((640, 480), Image.Resampling.BICUBIC), dtype=float)
            image = Image.fromarray((smooth + grain).clip(0, 255).astype(numpy.uint8))
        image.save(f"{folder}/{i:04}.jpg", quality=85)
    print(f"{PICTURES} pictures {'from photos' if photos else 'made up'}, 640×480 → {SIDE}")


def diptych(folder, files, threads):
    return float(subprocess.check_output([program, folder, str(SIDE), str(threads)]))


def timed(files, decode):
    start = time.perf_counter()
    for data in files:
        decode(data)
    return len(files) / (time.perf_counter() - start)


def pillow(folder, files):
    import io

    return timed(files, lambda data: numpy.asarray(Image.open(io.BytesIO(data)).convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR)))


def opencv(folder, files):
    def decode(data):
        image = cv2.imdecode(numpy.frombuffer(data, numpy.uint8), cv2.IMREAD_REDUCED_COLOR_2)
        return cv2.resize(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), (SIDE, SIDE), interpolation=cv2.INTER_AREA)

    return timed(files, decode)


contestants = {
    "diptych": lambda *given: diptych(*given, 1),
    "diptych, 2 threads": lambda *given: diptych(*given, 2),
    "Pillow, full decode": pillow,
    "OpenCV, reduced decode": opencv,
}
with tempfile.TemporaryDirectory() as folder:
    pictures(folder)
    files = [path.read_bytes() for path in sorted(pathlib.Path(folder).iterdir())]
    speeds = {name: [] for name in contestants}
    for round_ in range(rounds):
        names = list(contestants)
        for name in names if round_ % 2 else names[::-1]:
            speeds[name].append(contestants[name](folder, files))

for name, values in speeds.items():
    print(f"{name:24} {statistics.median(values):7.0f} pictures/s")
missed = 0
for a, b, least in [("diptych", "Pillow, full decode", 2.5), ("diptych", "OpenCV, reduced decode", 1.0),
                    ("diptych, 2 threads", "diptych", 1.8)]:
    ratios = sorted(x / y for x, y in zip(speeds[a], speeds[b]))
    middle = statistics.median(ratios)
    missed += middle < least
    print(f"{a} / {b}: {middle:.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f}), at least {least}: {'ok' if middle >= least else 'MISSED'}")
sys.exit(missed > 0)
