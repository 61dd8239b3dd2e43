"""The weights of a Diptych model as PyTorch keeps them (weights.pt, about.json) and as torch.onnx writes
them (network.onnx), with softmax: pixels [B,3,H,W] standardised, tokens [B,32], lengths [B] → [B,K].
Usage: pytorch_export.py MODEL.safetensors FOLDER"""
import json, sys

import torch
from pytorch_network import MAX_WORDS, from_diptych
from torch import nn

network, about = from_diptych(sys.argv[1])
torch.save(network.state_dict(), f"{sys.argv[2]}/weights.pt")
json.dump(about | {"words": network.text["embedding"].num_embeddings}, open(f"{sys.argv[2]}/about.json", "w"))


class Answer(nn.Module):
    def __init__(self):
        super().__init__()
        self.network = network

    def forward(self, pixels, tokens, lengths):
        return torch.softmax(self.network(pixels, tokens, lengths), 1)


batch = torch.export.Dim("batch")
example = (torch.zeros(4, 3, about["side"], about["side"]), torch.ones(4, MAX_WORDS, dtype=torch.long),
           torch.full((4,), MAX_WORDS))
torch.onnx.export(Answer().eval(), example, f"{sys.argv[2]}/network.onnx", dynamo=True, external_data=False,
                  input_names=["pixels", "tokens", "lengths"], output_names=["probabilities"],
                  dynamic_shapes={name: {0: batch} for name in ("pixels", "tokens", "lengths")})
print("{}")
