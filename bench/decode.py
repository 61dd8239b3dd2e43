"""JPEG of 640×480 to a square of 128, one thread: Diptych's path beside Pillow's full decode and
OpenCV's reduced one, and Diptych with two threads. Fails below what is expected.
Usage: decode.py PROGRAM    DIPTYCH_DATA: real photos to make the pictures from"""
import io, pathlib, subprocess, sys, tempfile, time

import cv2
import numpy
from PIL import Image

from pictures import make_pictures
from side_by_side import side_by_side

program = sys.argv[1]
SIDE, PICTURES = 128, 400
cv2.setNumThreads(1)


def diptych(threads):
    return lambda: {"speed": float(subprocess.check_output([program, folder, str(SIDE), str(threads)]))}


def timed(decode):
    start = time.perf_counter()
    for data in files:
        decode(data)
    return {"speed": len(files) / (time.perf_counter() - start)}


def pillow(data):
    image = Image.open(io.BytesIO(data)).convert("RGB")
    return numpy.asarray(image.resize((SIDE, SIDE), Image.Resampling.BILINEAR))


def opencv(data):
    image = cv2.imdecode(numpy.frombuffer(data, numpy.uint8), cv2.IMREAD_REDUCED_COLOR_2)
    return cv2.resize(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), (SIDE, SIDE), interpolation=cv2.INTER_AREA)


with tempfile.TemporaryDirectory() as folder:
    source = make_pictures(folder, PICTURES)
    files = [path.read_bytes() for path in sorted(pathlib.Path(folder).iterdir())]
    missed = side_by_side(
        f"{PICTURES} JPEG files of 640×480, {source}, each decoded to {SIDE}×{SIDE}; one thread where not said",
        {"diptych": diptych(1), "diptych, 2 threads": diptych(2), "Pillow, full decode": lambda: timed(pillow),
         "OpenCV, reduced decode": lambda: timed(opencv)},
        {"speed": "pictures/s"},
        [("speed", "diptych", ["Pillow, full decode"], ">=", 2.5),
         ("speed", "diptych", ["OpenCV, reduced decode"], ">=", 1.0),
         ("speed", "diptych, 2 threads", ["diptych"], ">=", 1.8)])
sys.exit(missed > 0)
