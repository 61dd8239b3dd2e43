"""What is measured on: pictures of 640×480 as JPEG, real photos where DIPTYCH_DATA has them, else patches
under grain; datasets of them; splits of the emoji sample."""
import csv, os, pathlib, random

import numpy
from PIL import Image


def picture(photos, draws, i):
    if photos:
        return Image.open(photos[i % len(photos)]).convert("RGB").resize((640, 480))
    # patches of colour under grain, about as large a file as a photo
    patches = Image.fromarray(draws.integers(0, 256, (15, 20, 3), dtype=numpy.uint8))
    smooth = numpy.asarray(patches.resize((640, 480), Image.Resampling.BICUBIC), dtype=float)
    return Image.fromarray((smooth + draws.normal(0, 8, (480, 640, 3))).clip(0, 255).astype(numpy.uint8))


def make_pictures(folder, count, side=None):
    """With a side: made so small and written as PNG, so that to read one is as good as no work."""
    photos = sorted(pathlib.Path(os.environ.get("DIPTYCH_DATA", "nowhere"), "photos").glob("*.[Jj][Pp]*[Gg]"))
    draws = numpy.random.default_rng(1)
    for i in range(count):
        image = picture(photos, draws, i)
        if side:
            image.resize((side, side)).save(f"{folder}/{i:05}.png", compress_level=1)
        else:
            image.save(f"{folder}/{i:05}.jpg", quality=85)
    return "from photos" if photos else "made up"


def make_data(folder, count, held_out=0, side=None):
    """A dataset of them, once: data.csv with a text of 32 words and one of ten labels for each. The
    last rows are held out, half for validation and half for testing."""
    folder = pathlib.Path(folder)
    if (folder / "data.csv").exists():
        return folder
    (folder / "images").mkdir(parents=True, exist_ok=True)
    make_pictures(folder / "images", count + held_out, side)
    draws = numpy.random.default_rng(2)
    with open(folder / "data.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["image", "text", "label", "split"])
        for i, image in enumerate(sorted((folder / "images").iterdir())):
            label = i % 10
            words = draws.integers(0, 2000, 32) + 200 * label * (draws.random(32) < 0.2)
            split = "train" if i < count else ("validation", "test")[i % 2]
            table.writerow([f"images/{image.name}", " ".join(f"word{w}" for w in words), f"class{label}", split])
    return folder


def deal(data, folder, seed, test, train):
    """The sample's pictures with a data.csv of at least so many rows to test and to train, groups whole."""
    data, folder, taken = pathlib.Path(data), pathlib.Path(folder), 0
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "images").exists():
        (folder / "images").symlink_to((data / "images").resolve())
    groups = {}
    for row in csv.DictReader(open(data / "data.csv", encoding="utf-8")):
        groups.setdefault(row["group"], []).append([row["image"], row["text"], row["label"]])
    order = sorted(groups)
    random.Random(seed).shuffle(order)
    with open(folder / "data.csv", "w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["image", "text", "label", "split"])
        for rows in (groups[group] for group in order):
            if taken < test + train:
                table.writerows([*row, "test" if taken < test else "train"] for row in rows)
            taken += len(rows)
    return folder
