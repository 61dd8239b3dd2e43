"""Writes the same rows in every layout, each by the tool that owns it, for layouts_test.cpp.

FOLDER/rows.jsonl is what a reader must find, FOLDER/pictures what bytes. Nothing is fetched from
anywhere but a server on the loopback interface that this script starts. Usage: write_layouts.py FOLDER
"""
import csv, functools, http.server, io, json, os, pathlib, shutil, sys, threading, urllib.parse

os.environ |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "NO_ALBUMENTATIONS_UPDATE": "1",
               "WANDB_MODE": "disabled", "HF_DATASETS_DISABLE_PROGRESS_BARS": "1"}
os.environ |= {name: "127.0.0.1" for name in ("NO_PROXY", "no_proxy")}

import pyarrow as pa, pyarrow.csv, pyarrow.feather, pyarrow.parquet as pq
from PIL import Image

SPLITS = ("train", "validation", "test")


def make_rows(pictures):
    """Rows in order of their names; texts, labels and names that readers stumble over."""
    texts = ["빨간 사과 \"한 개\"", "he said \"no\", twice", "", "a, b;\tc | d", "two\nlines", "🍎🇰🇷 é ß",
             "café — naïve", "'single'", "back\\slash", " spaces stay ", "NA", "2020-01-02"]
    labels = ["과일", "cat & dog", "it's"]
    rows = []
    for i in range(24):
        ending = ("jpg", "png", "webp")[i % 3]
        quoted = ' "q"' if i % 5 == 0 else ""
        name = f"{i:02} 사진 '{i}'{quoted}.{ending}"
        picture = Image.new("RGB", (40 + i, 30), (10 * i, 255 - 9 * i, 7 * i % 256))
        buffer = io.BytesIO()
        picture.save(buffer, {"jpg": "JPEG"}.get(ending, ending.upper()))
        (pictures / name).write_bytes(buffer.getvalue())
        text, label = texts[i % len(texts)], labels[i % 2 if i < 20 else 2]
        rows.append({"image": name, "text": text, "label": label, "split": SPLITS[(i * 7) % 3],
                     "title": text.strip(), "description": "" if i % 4 == 0 else f"설명 {i}",
                     "tags": [label] if i % 2 else [label, "tag, two", "태그"]})
    return rows


def table_of(rows, columns=("image", "text", "label", "split", "title", "description", "tags")):
    return pa.table({name: [row[name] for row in rows] for name in columns})


def write_tables(root, rows, pictures):
    """pyarrow: paths and bytes in every kind of table."""
    table = table_of(rows)
    flat = table.set_column(6, "tags", [["|".join(row["tags"]) for row in rows]])
    for folder in ("tables", "bytes", "parts", "files_of_split"):
        (root / folder).mkdir()
    for name in os.listdir(pictures):
        os.link(pictures / name, root / "tables" / name)
    pa.csv.write_csv(flat, root / "tables/rows.csv")
    pa.csv.write_csv(flat, root / "tables/rows.tsv", pa.csv.WriteOptions(delimiter="\t"))
    with open(root / "tables/python.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, flat.column_names)
        writer.writeheader()
        writer.writerows(flat.to_pylist())
    with open(root / "tables/rows.jsonl", "w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=i % 2 == 0) + "\n" for i, row in enumerate(rows))
    write_binary_tables(root / "tables", "rows", table)
    data = [(pictures / row["image"]).read_bytes() for row in rows]
    for name, type in (("binary", pa.binary()), ("large", pa.large_binary()), ("view", pa.binary_view())):
        write_binary_tables(root / "bytes", name, table.set_column(0, "image", pa.array(data, type)))
    for i, begin in enumerate(range(0, len(rows), 10)):
        part = table.set_column(0, "image", pa.array(data)).slice(begin, 10)
        pq.write_table(part, root / f"parts/part-{i}.parquet")
    for split in SPLITS:
        part = table_of([row for row in rows if row["split"] == split]).drop_columns("split")
        pa.csv.write_csv(part.drop_columns("tags"), root / f"files_of_split/{split}.csv")
    for name in os.listdir(pictures):
        os.link(pictures / name, root / "files_of_split" / name)


def write_binary_tables(folder, name, table):
    view = any(field.type == pa.binary_view() for field in table.schema)
    if not view:  # which Parquet has no writer for
        pq.write_table(table, folder / f"{name}.parquet", row_group_size=7, compression="zstd")
        pa.feather.write_feather(table, folder / f"{name}.feather", compression="lz4", chunksize=5)
    with pa.ipc.new_stream(folder / f"{name}.arrow", table.schema) as writer:
        writer.write_table(table, max_chunksize=6)
    with pa.ipc.new_file(folder / f"{name}.ipc", table.schema) as writer:
        writer.write_table(table, max_chunksize=6)


def write_hugging_face(root, rows, pictures):
    """datasets: its Parquet and its saved folders; and what its imagefolder makes of the folders."""
    import datasets
    folder = root / "hugging_face"
    folder.mkdir()
    names = sorted({row["label"] for row in rows})
    features = datasets.Features({"image": datasets.Image(), "text": datasets.Value("string"),
                                  "label": datasets.ClassLabel(names=names), "split": datasets.Value("string"),
                                  "tags": datasets.List(datasets.Value("string"))})
    columns = {name: [row[name] for row in rows] for name in features}
    columns["image"] = [str(pictures / row["image"]) for row in rows]
    dataset = datasets.Dataset.from_dict(columns, features=features)
    dataset.to_parquet(folder / "rows.parquet")
    (folder / "names.txt").write_text("".join(name + "\n" for name in names), encoding="utf-8")
    parts = {split: dataset.filter(lambda row: row["split"] == split).remove_columns("split").map(lambda row: row)
             for split in SPLITS}
    with_bytes = {split: part.cast_column("image", datasets.Image(decode=False)).map(embed) for split, part in parts.items()}
    datasets.DatasetDict(with_bytes).save_to_disk(folder / "saved")


def embed(row):
    return row | {"image": {"bytes": pathlib.Path(row["image"]["path"]).read_bytes(), "path": None}}


def write_image_folders(root, rows, pictures):
    """Hugging Face's imagefolder: its own reader must find what ours must."""
    for ending in ("csv", "jsonl", "parquet"):
        folder = root / f"imagefolder_{ending}"
        folder.mkdir()
        listed = [{"file_name": row["image"], **{name: row[name] for name in ("text", "label", "split")}} for row in rows]
        for row in rows:
            os.link(pictures / row["image"], folder / row["image"])
        table = pa.Table.from_pylist(listed)
        if ending == "csv":
            pa.csv.write_csv(table, folder / "metadata.csv")
        elif ending == "parquet":
            pq.write_table(table, folder / "metadata.parquet")
        else:
            (folder / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in listed), encoding="utf-8")
        check_image_folder(root, folder, rows, "text")
    plain, split = root / "class_folders", root / "split_folders"
    for row in rows:
        for folder in (plain / row["label"], split / row["split"] / row["label"]):
            folder.mkdir(parents=True, exist_ok=True)
            os.link(pictures / row["image"], folder / row["image"])
            if row["text"]:
                (folder / row["image"]).with_suffix(".txt").write_text(row["text"], encoding="utf-8")
    check_image_folder(root, plain, rows, "label")
    check_image_folder(root, split, rows, "label")


def check_image_folder(root, folder, rows, column):
    import datasets
    loaded = datasets.load_dataset("imagefolder", data_dir=str(folder), cache_dir=str(root / "cache"))
    found = {}
    for split, part in loaded.items():
        part = part.cast_column("image", datasets.Image(decode=False))
        names = getattr(part.features[column], "names", None)
        for row in part:
            value = names[row[column]] if names else row[column]
            found[os.path.basename(row["image"]["path"])] = (value or "", split)
    for row in rows:
        value, split = found.pop(row["image"])
        # Its reader of CSV takes the word NA for nothing; ours keeps cells as they are written.
        assert value == row[column] or (row[column], value) == ("NA", ""), (folder, row, value)
        assert len(loaded) == 1 or split == row["split"], (folder, row, split)
    assert not found, found


def write_shards(root, rows, pictures):
    """webdataset: shards with .cls, shards with .json, shards named for parts of a split."""
    import webdataset
    def shards(pattern, some, sample):
        with webdataset.ShardWriter(str(root / pattern), maxcount=10, verbose=0) as writer:
            for row in some:
                key, _, ending = row["image"].rpartition(".")
                data = (pictures / row["image"]).read_bytes()
                writer.write({"__key__": "폴더 'a'/" + key, ending: data, **sample(row)})
    for folder in ("webdataset_cls", "webdataset_json", "webdataset_split"):
        (root / folder).mkdir()
    shards("webdataset_cls/s-%05d.tar", rows, lambda row: {"txt": row["text"], "cls": row["label"], "split": row["split"].encode()})
    shards("webdataset_json/s-%05d.tar", rows, lambda row: {"json": row})
    for split in SPLITS:
        shards(f"webdataset_split/{split}-%05d.tar", [row for row in rows if row["split"] == split],
               lambda row: {"txt": row["text"], "cls": row["label"]})
    back = webdataset.WebDataset(str(root / "webdataset_cls/s-{00000..00002}.tar"), shardshuffle=False)
    assert [sample["txt"].decode() for sample in back] == [row["text"] for row in rows]


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def write_downloads(root, rows, pictures):
    """img2dataset: all of its outputs, from a list with rows that fail."""
    import img2dataset
    handler = functools.partial(Quiet, directory=str(pictures))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/"
    listed = [{"url": url + urllib.parse.quote(row["image"]), "caption": row["text"], "label": row["label"], "split": row["split"]} for row in rows]
    gone = {"caption": "gone", "label": "과일", "split": "train"}
    listed[5:5] = [{"url": url + "absent.jpg", **gone}, {"url": "http://127.0.0.1:1/refused.jpg", **gone}]
    listed.append({"url": url + "absent.png", **gone})
    pq.write_table(pa.Table.from_pylist(listed), root / "urls.parquet")
    reasons = {}
    for output in ("files", "webdataset", "parquet"):
        folder = root / f"img2dataset_{output}"
        img2dataset.download(url_list=str(root / "urls.parquet"), input_format="parquet", url_col="url", caption_col="caption",
                             save_additional_columns=["label", "split"], output_folder=str(folder), output_format=output,
                             resize_mode="no", disable_all_reencoding=True, processes_count=1, thread_count=4,
                             number_sample_per_shard=10, enable_wandb=False, retries=0)
        counts = {}
        for path in sorted(folder.glob("*.parquet")):
            for row in pq.read_table(path, columns=["status", "error_message"]).to_pylist():
                if row["status"] != "success":
                    counts[row["error_message"]] = counts.get(row["error_message"], 0) + 1
        assert sum(counts.values()) == 3, counts
        reasons[output] = counts
    server.shutdown()
    (root / "failed.json").write_text(json.dumps(reasons), encoding="utf-8")


def main(folder):
    root = pathlib.Path(folder).resolve()
    stamp, wanted = root / "stamp", pathlib.Path(__file__).read_text(encoding="utf-8")
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return
    shutil.rmtree(root, ignore_errors=True)
    pictures = root / "pictures"
    pictures.mkdir(parents=True)
    rows = make_rows(pictures)
    (root / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    for write in (write_tables, write_hugging_face, write_image_folders, write_shards, write_downloads):
        write(root, rows, pictures)
    shutil.rmtree(root / "cache", ignore_errors=True)
    stamp.write_text(wanted, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
