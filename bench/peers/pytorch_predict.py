"""One answer in PyTorch from what pytorch_export.py wrote: import, load, decode, answer.
Usage: pytorch_predict.py FOLDER IMAGE TEXT"""
import json, sys

import numpy as np
import torch
from PIL import Image
from pytorch_network import Fused, encode

folder, image, text = sys.argv[1:4]
about = json.load(open(f"{folder}/about.json"))
network = Fused(about["words"], len(about["classes"]), about["side"])
network.load_state_dict(torch.load(f"{folder}/weights.pt", weights_only=True, mmap=True))
network.eval()
picture = Image.open(image).convert("RGB").resize((about["side"], about["side"]), Image.Resampling.BILINEAR)
pixels = (torch.from_numpy(np.array(picture)) / 255 - torch.tensor(about["mean"])) / torch.tensor(about["deviation"])
with torch.inference_mode():
    logits = network(pixels.permute(2, 0, 1).unsqueeze(0), *encode([text], about["vocabulary"]))
print(json.dumps({"class": about["classes"][int(logits.argmax())]}))
