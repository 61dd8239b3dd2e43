"""Writes the seed corpora: small files of every format, by Pillow and pyarrow. Usage: make_corpus.py FOLDER"""
import io, json, pathlib, struct, sys

import pyarrow as pa, pyarrow.parquet as pq
from PIL import Image

root = pathlib.Path(sys.argv[1])


def put(kind, name, data):
    (root / kind).mkdir(parents=True, exist_ok=True)
    (root / kind / name).write_bytes(data)


def saved(image, format, **options):
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def tiff(orientation, order):
    sign = "<" if order == b"II" else ">"
    return order + struct.pack(sign + "HIHHHIHHI", 42, 8, 1, 0x0112, 3, 1, orientation, 0, 0)


picture = Image.new("RGB", (13, 9))
picture.putdata([(x * 19, y * 28, (x * y * 7) % 256) for y in range(9) for x in range(13)])
exif = b"Exif\0\0" + tiff(6, b"II")
images = {
    "rgb.jpg": saved(picture, "JPEG", quality=40),
    "progressive.jpg": saved(picture, "JPEG", progressive=True, exif=exif),
    "cmyk.jpg": saved(picture.convert("CMYK"), "JPEG"),
    "grey.jpg": saved(picture.convert("L"), "JPEG"),
    "rgb.png": saved(picture, "PNG", exif=exif),
    "palette.png": saved(picture.quantize(7), "PNG", transparency=1),
    "alpha.png": saved(picture.convert("RGBA"), "PNG"),
    "grey16.png": saved(Image.new("I;16", (5, 4), 40000), "PNG"),
    "lossy.webp": saved(picture, "WEBP", quality=30, exif=exif),
    "lossless.webp": saved(picture.convert("RGBA"), "WEBP", lossless=True),
    "animated.webp": saved(picture, "WEBP", save_all=True, append_images=[picture.rotate(180)]),
    "still.gif": saved(picture.quantize(9), "GIF"),
    "animated.gif": saved(picture, "GIF", save_all=True, append_images=[picture.rotate(180)], transparency=0),
}
for name, data in images.items():
    put("image", name, data)
for name in ("progressive.jpg", "rgb.png", "lossy.webp"):
    put("exif", name, images[name])
for order in (b"II", b"MM"):
    put("exif", order.decode() + ".tiff", tiff(8, order))

rows = {"image": ["a b.png", "한.jpg", ""], "text": ['he said "no"', "사과 | 과일", "two\nlines"], "label": ["x", "y", "x"]}
lines = [",".join('"' + str(cell).replace('"', '""') + '"' for cell in row) for row in zip(*rows.values())]
csv = "image,text,label\n" + "\n".join(lines) + "\n"
put("table", "csv", b"\0" + csv.encode())
put("table", "tsv", b"\1" + csv.replace(",", "\t").encode())
put("table", "jsonl", b"\2" + "".join(json.dumps(dict(zip(rows, row))) + "\n" for row in zip(*rows.values())).encode())
for compression in ("none", "snappy", "zstd"):
    buffer = io.BytesIO()
    pq.write_table(pa.table({**rows, "number": [1, 2, None]}), buffer, compression=compression)
    put("table", f"parquet-{compression}", b"\3" + buffer.getvalue())
