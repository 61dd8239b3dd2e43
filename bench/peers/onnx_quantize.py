"""int8.onnx from the network.onnx of pytorch_export.py, as ONNX Runtime's guide to quantization recommends
for CPUs with VNNI: static, QDQ, unsigned activations, signed weights by channel; calibrated on 128 rows.
Usage: onnx_quantize.py FOLDER DATA"""
import csv, json, re, sys

import numpy as np
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from PIL import Image

folder, data = sys.argv[1:3]
about = json.load(open(f"{folder}/about.json"))
side, mean, deviation = about["side"], np.float32(about["mean"]), np.float32(about["deviation"])


class Rows(CalibrationDataReader):
    def __init__(self):
        self.rows = iter(list(csv.DictReader(open(f"{data}/data.csv", encoding="utf-8")))[:128])

    def get_next(self):
        row = next(self.rows, None)
        if row is None:
            return None
        image = Image.open(f"{data}/{row['image']}").convert("RGB").resize((side, side), Image.Resampling.BILINEAR)
        pixels = ((np.asarray(image, np.float32) / 255 - mean) / deviation).transpose(2, 0, 1)
        ids = [about["vocabulary"].get(word, 1) for word in re.findall(r"\w+", row["text"].lower())[:32]]
        return {"pixels": pixels[None], "tokens": np.array([ids + [0] * (32 - len(ids))]), "lengths": np.array([len(ids)])}


quant_pre_process(f"{folder}/network.onnx", f"{folder}/prepared.onnx", skip_symbolic_shape=True)
quantize_static(f"{folder}/prepared.onnx", f"{folder}/int8.onnx", Rows(), quant_format=QuantFormat.QDQ,
                op_types_to_quantize=["Conv", "Gemm", "MatMul", "MaxPool", "Relu"], per_channel=True,
                activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8)
print("{}")
