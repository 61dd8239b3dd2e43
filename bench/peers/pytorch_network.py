"""The networks of the PyTorch peers, and how they read a table. Modules are named as in Diptych's model
file, so that its weights load."""
import csv, json, re

import torch
from torch import nn

MAX_WORDS = 32


class Fused(nn.Module):
    """The paper's: convolutions with pooling, an LSTM over 32 words, a dense layer over both."""

    def __init__(self, words, classes, side):
        super().__init__()
        widths = (3, 32, 64, 128)
        self.image = nn.ModuleDict({f"conv{i}": nn.Conv2d(widths[i - 1], widths[i], 3, padding=1) for i in (1, 2, 3)})
        self.image["dense"] = nn.Linear(128 * (side // 8) ** 2, 128)
        self.text = nn.ModuleDict({"embedding": nn.Embedding(words, 128), "lstm": nn.LSTM(128, 128, batch_first=True)})
        self.hidden, self.head = nn.Linear(256, 128), nn.Linear(128, classes)

    def forward(self, pixels, tokens, lengths):
        x = pixels
        for i in (1, 2, 3):
            x = nn.functional.max_pool2d(torch.relu(self.image[f"conv{i}"](x)), 2)
        image = torch.relu(self.image["dense"](x.flatten(1)))
        states = self.text["lstm"](self.text["embedding"](tokens))[0]
        last = (lengths.clamp(min=1) - 1).view(-1, 1, 1).expand(-1, 1, states.shape[2])
        return self.head(torch.relu(self.hidden(torch.cat([image, states.gather(1, last).squeeze(1)], 1))))


def words_of(text):
    return re.findall(r"\w+", text.lower())[:MAX_WORDS]


def read_rows(data, split="train"):
    rows = csv.DictReader(open(f"{data}/data.csv", encoding="utf-8"))
    return [row for row in rows if row.get("split", "train") == split]


def encode(texts, vocabulary):
    """[B,32] tokens, 0 after the end and 1 for what is unknown; [B] lengths."""
    tokens = torch.zeros(len(texts), MAX_WORDS, dtype=torch.long)
    lengths = torch.zeros(len(texts), dtype=torch.long)
    for i, text in enumerate(texts):
        ids = [vocabulary.get(word, 1) for word in words_of(text)]
        tokens[i, : len(ids)], lengths[i] = torch.tensor(ids, dtype=torch.long), len(ids)
    return tokens, lengths


def vocabulary_of(texts):
    vocabulary = {}
    for text in texts:
        for word in words_of(text):
            vocabulary.setdefault(word, len(vocabulary) + 2)
    return vocabulary


def from_diptych(path):
    """The network of a model.safetensors, what it needs beside the weights, and those."""
    from safetensors import safe_open

    with safe_open(path, "pt") as file:
        metadata = file.metadata()
        weights = {re.sub(r"(lstm\.\w+)", r"\1_l0", name): file.get_tensor(name) for name in file.keys()}
    side, classes = json.loads(metadata["config"])["image-size"], json.loads(metadata["classes"])
    vocabulary = {word: i + 2 for i, word in enumerate(json.loads(metadata["tokenizer"])["words"])}
    about = {"side": side, "classes": classes, "vocabulary": vocabulary,
             "mean": weights.pop("pixel_mean").tolist(), "deviation": weights.pop("pixel_deviation").tolist()}
    network = Fused(len(weights["text.embedding.weight"]), len(classes), side)
    network.load_state_dict(weights)
    return network.eval(), about


def unit(inputs, outputs, stride=1):
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())


class Residual(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.widen, self.block = unit(inputs, outputs), unit(outputs, outputs)

    def forward(self, x):
        x = self.widen(x)
        return x + self.block(x)


class Small(nn.Module):
    """For a comparison: residual stages of as many channels as Diptych's default, a bag of embeddings."""

    def __init__(self, inputs, buckets, classes):
        super().__init__()
        self.image = self.bag = None
        if "image" in inputs:
            self.image = nn.Sequential(unit(3, 16, 2), nn.MaxPool2d(2), Residual(16, 32), nn.MaxPool2d(2), Residual(32, 64),
                                       nn.MaxPool2d(2), Residual(64, 128), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        if "text" in inputs:
            self.bag = nn.EmbeddingBag(buckets, 64)
        self.head = nn.Sequential(nn.Dropout(0.3), nn.Linear(128 * bool(self.image) + 64 * bool(self.bag), classes))

    def forward(self, pixels, ids, offsets):
        features = [self.image(pixels)] if self.image else []
        if self.bag:
            features.append(self.bag(ids, offsets))
        return self.head(torch.cat(features, 1))


def augmented(pixels):
    """Mirrored, shifted by 6 %, zoomed by 10 % and turned by 8 degrees at the most."""
    count = len(pixels)
    angle, zoom = (torch.rand(count) * 2 - 1) * 0.14, 1 + (torch.rand(count) * 2 - 1) * 0.1
    mirror = 1 - 2 * (torch.rand(count) < 0.5).float()
    shift = (torch.rand(2, count) * 2 - 1) * 0.12  # of a grid from -1 to 1
    rows = torch.stack([torch.stack([zoom * mirror * angle.cos(), -zoom * angle.sin(), shift[0]], 1),
                        torch.stack([zoom * mirror * angle.sin(), zoom * angle.cos(), shift[1]], 1)], 1)
    grid = nn.functional.affine_grid(rows, list(pixels.shape), align_corners=False)
    return nn.functional.grid_sample(pixels, grid, padding_mode="border", align_corners=False)
