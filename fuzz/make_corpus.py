"""Writes the seed corpora: small files of every format, by Pillow and pyarrow. Usage: make_corpus.py FOLDER"""
import io, json, pathlib, struct, sys, tarfile

import pyarrow as pa, pyarrow.feather, pyarrow.parquet as pq
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

bytes_column = pa.array([images["rgb.png"], None, images["grey.jpg"]], pa.binary())
structs = pa.array([{"bytes": images["rgb.png"], "path": "한 1.png"}, {"bytes": None, "path": "x"}, None])
tables = {name: pa.table({**rows, "image": column}) for name, column in (("bytes", bytes_column), ("structs", structs))}
for name, table in tables.items():
    buffer = io.BytesIO()
    pq.write_table(table, buffer, row_group_size=2)
    put("table", f"parquet-{name}", b"\3" + buffer.getvalue())
    buffer = io.BytesIO()
    with pa.ipc.new_stream(buffer, table.schema) as writer:
        writer.write_table(table, max_chunksize=2)
    put("table", f"arrow-{name}", b"\4" + buffer.getvalue())
for compression in ("uncompressed", "lz4"):
    buffer = io.BytesIO()
    pyarrow.feather.write_feather(tables["structs"], buffer, compression=compression)
    put("table", f"feather-{compression}", b"\5" + buffer.getvalue())


def shard(members, format):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=format) as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    data = buffer.getvalue().rstrip(b"\0")  # blocks of 10 KiB bring many zeros
    return data + bytes(-len(data) % 512 + 1024)


members = {}
for i, (text, label) in enumerate(zip(rows["text"], rows["label"])):
    members |= {f"{i}.png": images["palette.png"], f"{i}.txt": text.encode(), f"{i}.cls": label.encode()}
for i in range(2):
    members |= {f"한/{i}.jpg": images["grey.jpg"], f"한/{i}.json": json.dumps({"text": "사과", "label": ["x", "y"]}).encode()}
members |= {"long/" * 40 + "name.webp": images["lossy.webp"]}
put("tar", "pax", shard(members, tarfile.PAX_FORMAT))
put("tar", "gnu", shard(members, tarfile.GNU_FORMAT))
put("tar", "cut", shard(members, tarfile.GNU_FORMAT)[:5000])
put("tar", "ustar", shard({name: data for name, data in members.items() if len(name) < 100}, tarfile.USTAR_FORMAT))

rows = {"id": [5, 1, 2, 5, None], "url": ["http://127.0.0.1/1.jpg", "http://localhost/사과 c.png", "", "x", None], "text": ["one", "사과", "", "d", None]}
coyo = rows | {
    "score": [0.5, 0.25, 0.99, None, 0.1], "image_phash": ["00ff00ff00ff00ff", "zz", "", None, "f" * 16],
    "labels": [[3, 7], [7], [3], [], None], "label_probs": [[0.75, 0.25], [0.5], [0.5], [], None]}
other = {"size": [{"w": 1, "h": None}, None, {"w": 2, "h": 3}, None, None], "label": pa.array(["x", "y", "x", None, "y"]).dictionary_encode()}
types = {"labels": pa.list_(pa.int64()), "label_probs": pa.list_(pa.float32())}
listed = {name: pa.table({column: pa.array(cells, types.get(column)) for column, cells in columns.items()}) for name, columns in (("coyo", coyo), ("other", coyo | other))}
for name, table in listed.items():
    for compression in ("none", "snappy"):
        buffer = io.BytesIO()
        pq.write_table(table, buffer, row_group_size=3, compression=compression)
        put("list", f"parquet-{name}-{compression}", b"\0" + buffer.getvalue())
    buffer = io.BytesIO()
    with pa.ipc.new_stream(buffer, table.schema) as writer:
        writer.write_table(table, max_chunksize=2)
    put("list", f"arrow-{name}", b"\1" + buffer.getvalue())
    buffer = io.BytesIO()
    pyarrow.feather.write_feather(table, buffer, compression="lz4")
    put("list", f"feather-{name}", b"\2" + buffer.getvalue())
lines = [",".join('"' + str("" if cell is None else cell).replace('"', '""') + '"' for cell in row) for row in zip(*rows.values())]
csv = ",".join(rows) + "\n" + "\n".join(lines) + "\n"
put("list", "csv-urls", b"\3" + csv.encode())
put("list", "tsv-urls", b"\4" + csv.replace(",", "\t").encode())
names = {"label": ["3", "7", "9"], "name": ["cat", "사과 | 과일", ""]}
lines = [f'{label},"{name}"' for label, name in zip(*names.values())]
put("list", "csv-names", b"\3" + ("label,name\n" + "\n".join(lines) + "\n").encode())
put("list", "jsonl-names", b"\5" + "".join(json.dumps(dict(zip(names, row))) + "\n" for row in zip(*names.values())).encode())
put("list", "txt-names", b"\6" + "\n".join(names["name"]).encode())
