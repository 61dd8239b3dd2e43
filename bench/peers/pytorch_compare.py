"""The protocol of `diptych compare` as a straightforward PyTorch script: for each seed a split that keeps
groups whole, and for each input a training with the best validation epoch kept; a small residual network for
pictures, an EmbeddingBag of words and n-grams for texts. Prints the mean test accuracy of each input.
Usage: pytorch_compare.py DATA SEEDS EPOCHS [bf16]"""
import csv, json, os, random, re, sys, zlib

import numpy as np
import torch
from PIL import Image
from pytorch_network import Small, augmented

data, seeds, epochs, bf16 = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), "bf16" in sys.argv[4:]
SIDE, BATCH, BUCKETS, RATE = 80, 64, 16384, 4e-3
torch.set_num_threads(len(os.sched_getaffinity(0)))
rows = list(csv.DictReader(open(f"{data}/data.csv", encoding="utf-8")))
pixels = torch.stack([
    torch.from_numpy(np.array(Image.open(f"{data}/{row['image']}").convert("RGB").resize((SIDE, SIDE)))).permute(2, 0, 1)
    for row in rows])
labels = sorted({row["label"] for row in rows})
target = torch.tensor([labels.index(row["label"]) for row in rows])


def features(text):
    words = re.findall(r"\w+", text.lower())[:32]
    grams = [f"<{word}>"[i:i + n] for word in words for n in (3, 4, 5) for i in range(len(word) + 3 - n)]
    return torch.tensor([zlib.crc32(part.encode()) % BUCKETS for part in words + grams] or [0])


bags = [features(row["text"]) for row in rows]


def split(seed):
    groups = sorted({row["group"] for row in rows})
    random.Random(seed).shuffle(groups)
    order = {group: i / len(groups) for i, group in enumerate(groups)}
    place = torch.tensor([order[row["group"]] for row in rows])
    return [torch.nonzero(mask).flatten() for mask in (place >= 0.28, (place >= 0.2) & (place < 0.28), place < 0.2)]


def forward(network, chosen, training):
    x = (pixels[chosen].float() / 255 - 0.5) / 0.25 if network.image else None
    if network.image:
        x = (augmented(x) if training else x).contiguous(memory_format=torch.channels_last)
    bag = [bags[i] for i in chosen]
    offsets = torch.tensor([0, *map(len, bag)]).cumsum(0)[:-1]
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        return network(x, torch.cat(bag), offsets).float()


def accuracy(network, chosen):
    network.eval()
    with torch.inference_mode():
        right = [forward(network, part, False).argmax(1) == target[part] for part in chosen.split(256)]
    return torch.cat(right).float().mean().item()


def trial(inputs, seed):
    torch.manual_seed(seed)
    train, validation, test = split(seed)
    network = Small(inputs, BUCKETS, len(labels)).to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(network.parameters(), RATE, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, epochs * (len(train) // BATCH))
    best = (-1, 0)  # accuracy in validation and in the test
    for _ in range(epochs):
        network.train()
        for chosen in train[torch.randperm(len(train))].split(BATCH)[: len(train) // BATCH]:
            loss = torch.nn.functional.cross_entropy(forward(network, chosen, True), target[chosen], label_smoothing=0.03)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        reached = accuracy(network, validation)
        if reached >= best[0]:
            best = reached, accuracy(network, test)
    return best[1]


print(json.dumps({inputs: sum(trial(inputs.split(","), seed) for seed in range(1, seeds + 1)) / seeds
                  for inputs in ("image", "text", "image,text")}))
