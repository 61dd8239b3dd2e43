#!/usr/bin/env python3
"""Writes a dataset as small tables in the shape of COYO, for tests: of COYO-700M's columns those
that are read, and COYO-Labeled-300M's, whose rows also hold labels that are less probable.

Pictures come from a table with the columns image, text and label; beyond its rows they are crops.
Into OUT go pictures/, pairs/*.parquet, labels/*.parquet and names.csv. URLs are those of
download/bad_server.py --pictures OUT/pictures at $PORT. Every seventh pair is watermarked, every
eleventh has no label, every hundredth no URL.
Usage: coyo_shaped.py DATA.csv OUT COUNT
"""
import csv
import os
import pathlib
import random
import shutil
import sys

import numpy
import pyarrow
import pyarrow.parquet
from PIL import Image


def phash(image):
    """64 bits as imagehash.phash has them: low frequencies of the 32 by 32 cosine transform."""
    pixels = numpy.asarray(image.convert('L').resize((32, 32), Image.Resampling.LANCZOS), dtype=float)
    k, n = numpy.mgrid[0:8, 0:32]
    cosine = numpy.cos(numpy.pi * k * (2 * n + 1) / 64)
    low = cosine @ pixels @ cosine.T
    bits = (low > numpy.median(low)).flatten()
    return f'{int("".join("1" if bit else "0" for bit in bits), 2):016x}'


def write_picture(source, path, crop, draw):
    if not crop:
        shutil.copy(source, path)
        return
    image = Image.open(source).convert('RGB')
    width, height = (int(side * draw.uniform(0.75, 0.95)) for side in image.size)
    left, top = draw.randrange(image.width - width), draw.randrange(image.height - height)
    image.crop((left, top, left + width, top + height)).save(path, quality=90)


def write_halves(rows, folder):
    folder.mkdir(parents=True)
    for i, part in enumerate((rows[::2], rows[1::2])):
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(part), folder / f'part-{i}.parquet')


def main():
    source, out, count = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), int(sys.argv[3])
    table = list(csv.DictReader(open(source, encoding='utf-8')))
    names = sorted({row['label'] for row in table})
    numbers = {name: 1000 + i for i, name in enumerate(names)}
    draw = random.Random(7)
    (out / 'pictures').mkdir(parents=True)
    pairs, labels = [], []
    for i in range(count):
        row = table[i % len(table)]
        is_crop = i >= len(table)
        ending = '.jpg' if is_crop else pathlib.Path(row['image']).suffix
        path = out / 'pictures' / f'{i}{ending}'
        write_picture(source.parent / row['image'], path, is_crop, draw)
        image = Image.open(path)
        identity = i * 7919 + 1
        url = f'http://127.0.0.1:{os.environ["PORT"]}/file/{path.name}'
        pairs.append({
            'id': identity, 'url': None if i % 100 == 99 else url, 'text': row['text'],
            'width': image.width, 'height': image.height, 'image_phash': phash(image),
            'num_faces': 0, 'clip_similarity_vitb32': draw.uniform(0.1, 0.5),
            'watermark_score': 0.9 if i % 7 == 6 else draw.uniform(0, 0.4)})
        if i % 11 == 10:
            continue
        best = numbers[row['label']]
        rest = draw.sample(range(2000, 3000), 3)
        labels.append({'id': identity, 'url': url, 'imagehash': pairs[-1]['image_phash'],
                       'labels': [best, *rest], 'label_probs': [0.6, 0.2, 0.1, 0.05],
                       'width': image.width, 'height': image.height})
    draw.shuffle(labels)
    write_halves(pairs, out / 'pairs')
    write_halves(labels, out / 'labels')
    with open(out / 'names.csv', 'w', encoding='utf-8', newline='') as file:
        writer = csv.writer(file, lineterminator='\n')
        writer.writerow(['label', 'name'])
        writer.writerows((number, name) for name, number in numbers.items())


main()
