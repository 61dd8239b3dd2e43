"""The paper's network in PyTorch, a training epoch on the emoji sample held in memory, as PyTorch's
tuning guide recommends for CPUs: channels last, bf16 autocast, optionally torch.compile.
Usage: pytorch_train.py DATA SIDE THREADS plain|channels_last|bf16|compiled    Prints samples/s."""
import csv, sys, time

import numpy as np
import torch
from PIL import Image
from torch import nn

data, side, threads, setting = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
torch.set_num_threads(threads)
torch.manual_seed(1)
rows = list(csv.DictReader(open(f"{data}/data.csv", encoding="utf-8")))[:1376]
pixels = torch.from_numpy(np.stack([
    np.asarray(Image.open(f"{data}/{row['image']}").convert("RGB").resize((side, side), Image.Resampling.BILINEAR))
    for row in rows])).permute(0, 3, 1, 2)
labels = sorted({row["label"] for row in rows})
target = torch.tensor([labels.index(row["label"]) for row in rows])
words = {}
tokens = torch.zeros(len(rows), 32, dtype=torch.long)
for i, row in enumerate(rows):
    for j, word in enumerate(row["text"].lower().replace("|", " ").split()[:32]):
        tokens[i, j] = words.setdefault(word, len(words) + 1)


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        layers, width = [], 3
        for outputs in (32, 64, 128):
            layers += [nn.Conv2d(width, outputs, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
            width = outputs
        self.image = nn.Sequential(*layers, nn.Flatten(), nn.Linear(128 * (side // 8) ** 2, 128), nn.ReLU())
        self.words = nn.Embedding(len(words) + 1, 128)
        self.text = nn.LSTM(128, 128, batch_first=True)
        self.head = nn.Sequential(nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, len(labels)))

    def forward(self, pixels, tokens):
        return self.head(torch.cat([self.image(pixels), self.text(self.words(tokens))[1][0][0]], 1))


network = Network()
if setting != "plain":
    network = network.to(memory_format=torch.channels_last)
step_of = torch.compile(network) if setting == "compiled" else network
optimizer = torch.optim.Adam(network.parameters(), 1e-3)


def step(chosen):
    x = pixels[chosen].float() / 255
    if setting != "plain":
        x = x.contiguous(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16, enabled=setting in ("bf16", "compiled")):
        loss = nn.functional.cross_entropy(step_of(x, tokens[chosen]).float(), target[chosen])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


order = torch.randperm(len(rows))
for begin in range(0, 5 * 32, 32):
    step(order[begin:begin + 32])
start = time.perf_counter()
steps = len(rows) // 32
for i in range(steps):
    step(order[i * 32:(i + 1) * 32])
print(steps * 32 / (time.perf_counter() - start))
