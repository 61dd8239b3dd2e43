"""Reads a model file with the safetensors library alone: classes, configuration, tensors.

Usage: python read_model.py MODEL, where MODEL is a run's folder or a model file.
The format is described in docs/model_format.md.
"""

import json
import pathlib
import sys

from safetensors import safe_open

path = pathlib.Path(sys.argv[1])
if path.is_dir():
    path /= "model.safetensors"

with safe_open(path, "np") as file:
    metadata = file.metadata() or {}
    if (metadata.get("format"), metadata.get("version")) != ("diptych.model", "1"):
        sys.exit(f"{path}: not a model of diptych, format version 1")
    print("classes:", ", ".join(json.loads(metadata["classes"])))
    print("configuration:")
    for name, value in json.loads(metadata["config"]).items():
        print(f"  {name} = {json.dumps(value)}")
    print("tensors:")
    for name in file.keys():
        tensor = file.get_slice(name)
        print(f"  {name} {tensor.get_dtype()} {tensor.get_shape()}")
