"""The paper's network in PyTorch as its tuning guide recommends for CPUs: channels last, bf16 autocast
where the processor has it, optionally torch.compile. Prints samples/s of the first epoch, counted from
after the imports, and of the last, and the accuracy on rows of the split "test"; rows come from memory,
where they lie before the clock starts, or from a DataLoader of so many workers.
Usage: pytorch_train.py DATA SIDE ROWS EPOCHS plain|channels_last|bf16|compiled|compiled_bf16 memory|WORKERS"""
import json, os, sys, time

import numpy as np
import torch
from PIL import Image
from pytorch_network import Fused, encode, read_rows, vocabulary_of
from torch import nn
from torch.utils.data import DataLoader, Dataset

data, side, count, epochs, setting, source = sys.argv[1], *map(int, sys.argv[2:5]), *sys.argv[5:7]
torch.set_num_threads(len(os.sched_getaffinity(0)))
torch.manual_seed(1)
start = time.perf_counter()
rows = read_rows(data)[:count]
vocabulary = vocabulary_of(row["text"] for row in rows)
labels = sorted({row["label"] for row in rows})


class Rows(Dataset):
    def __init__(self, rows):
        self.paths = [f"{data}/{row['image']}" for row in rows]
        self.tokens, self.lengths = encode([row["text"] for row in rows], vocabulary)
        self.target = torch.tensor([labels.index(row["label"]) for row in rows])

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, i):
        image = Image.open(self.paths[i]).convert("RGB")
        pixels = np.array(image.resize((side, side), Image.Resampling.BILINEAR))
        return torch.from_numpy(pixels).permute(2, 0, 1), self.tokens[i], self.lengths[i], self.target[i]


training = Rows(rows)
if source == "memory":
    pixels = torch.stack([training[i][0] for i in range(len(rows))])
    start = time.perf_counter()
else:
    loader = DataLoader(training, batch_size=32, shuffle=True, drop_last=True, num_workers=int(source),
                        persistent_workers=source != "0")


def batches():
    if source != "memory":
        yield from loader
        return
    for chosen in torch.randperm(len(rows)).split(32)[: len(rows) // 32]:
        yield pixels[chosen], training.tokens[chosen], training.lengths[chosen], training.target[chosen]


network = Fused(len(vocabulary) + 2, len(labels), side)
if setting != "plain":
    network = network.to(memory_format=torch.channels_last)
step_of = torch.compile(network) if setting.startswith("compiled") else network
optimizer = torch.optim.Adam(network.parameters(), 1e-3)


def forward(batch):
    x = batch[0].float() / 255
    if setting != "plain":
        x = x.contiguous(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16, enabled=setting.endswith("bf16")):
        return step_of(x, batch[1], batch[2]).float()


def step(batch):
    loss = nn.functional.cross_entropy(forward(batch), batch[3])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


speeds = []
for epoch in range(epochs):
    for batch in batches():
        step(batch)
    now = time.perf_counter()
    speeds.append(len(rows) // 32 * 32 / (now - start))
    start = now
right = []
with torch.no_grad():
    for batch in DataLoader(Rows(read_rows(data, "test")), batch_size=64):
        right += (forward(batch).argmax(1) == batch[3]).tolist()
print(json.dumps({"first": speeds[0], "later": speeds[-1], "accuracy": sum(right) / max(1, len(right))}))
