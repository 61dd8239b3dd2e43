"""ONNX Runtime on what pytorch_export.py wrote, with as many threads as there are processors. Prints rows/s
of the network alone on arrays that lie ready, rows/s from files (Pillow in as many threads, then the
network), the median in ms of one row after the other from its file, and the answers.
Usage: onnx_predict.py FOLDER DATA BATCH network.onnx|int8.onnx"""
import csv, json, os, re, statistics, sys, time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnxruntime
from PIL import Image

folder, data, size, network = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
processors = len(os.sched_getaffinity(0))
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = processors
session = onnxruntime.InferenceSession(f"{folder}/{network}", options, providers=["CPUExecutionProvider"])
about = json.load(open(f"{folder}/about.json"))
rows = list(csv.DictReader(open(f"{data}/data.csv", encoding="utf-8")))
side, mean, deviation = about["side"], np.float32(about["mean"]), np.float32(about["deviation"])


def read(row):
    image = Image.open(f"{data}/{row['image']}")
    image.draft("RGB", (side, side))  # a JPEG is decoded no larger than it must be
    pixels = np.asarray(image.convert("RGB").resize((side, side), Image.Resampling.BILINEAR), np.float32) / 255
    ids = [about["vocabulary"].get(word, 1) for word in re.findall(r"\w+", row["text"].lower())[:32]]
    return ((pixels - mean) / deviation).transpose(2, 0, 1), ids + [0] * (32 - len(ids)), len(ids)


def answer(read_rows):
    pixels, tokens, lengths = zip(*read_rows)
    inputs = {"pixels": np.stack(pixels), "tokens": np.array(tokens), "lengths": np.array(lengths)}
    return session.run(None, inputs)[0]


def batches(items):
    return [items[i:i + size] for i in range(0, len(items), size)]


def speed(work, items):
    work(items[0])
    start = time.perf_counter()
    for item in items:
        work(item)
    return len(rows) / (time.perf_counter() - start)


def one(row):
    start = time.perf_counter()
    answer([read(row)])
    return 1000 * (time.perf_counter() - start)


with ThreadPoolExecutor(processors) as pool:
    files = speed(lambda part: answer(list(pool.map(read, part))), batches(rows))
    ready = list(pool.map(read, rows))
arrays = [{"pixels": np.stack([row[0] for row in part]), "tokens": np.array([row[1] for row in part]),
           "lengths": np.array([row[2] for row in part])} for part in batches(ready)]
probabilities = np.concatenate([session.run(None, part)[0] for part in arrays])
print(json.dumps({"network": speed(lambda part: session.run(None, part), arrays), "files": files,
                  "one": statistics.median(one(row) for row in rows[:200]),
                  "answers": [[about["classes"][row.argmax()], float(row.max())] for row in probabilities]}))
