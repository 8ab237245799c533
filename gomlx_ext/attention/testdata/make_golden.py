"""Golden values of masked multi-head attention: projections, softmax over valid keys, output projection.

    python make_golden.py        # writes self, cross, single .safetensors beside this file

Needs torch 2.9.1, numpy 2.4.6, safetensors 0.8.0. Each file holds, in float32 unless said otherwise:

    query [B, Q, d], key [B, K, d]   (self: key only) steps at and beyond an example's length hold noise, which must change nothing
    lengths [B]                      int64, of the keys
    q.weight, q.bias, …              torch's names and layout, [out, in]
    probabilities [B, H, Q, K], output [B, Q, d]
    cotangent [B, Q, d], grad.*      gradients of sum(cotangent · output)

The probabilities are checked against torch.nn.functional.multi_head_attention_forward, which is another implementation.
"""

import json
import math
import pathlib
import sys

import numpy as np
import safetensors.numpy
import torch
from torch import nn

KEYS, WIDTH, LENGTHS = 7, 12, [7, 4, 1]


def save(name, tensors, config):
    """Writes beside this file; the header is sorted, so that the same values give the same bytes."""
    metadata = {"config": json.dumps(config, sort_keys=True), "torch": torch.__version__,
                "numpy": np.__version__, "python": sys.version.split()[0]}
    arrays = {key: np.array(value.detach().numpy(), order="C") for key, value in tensors.items()}
    blob = safetensors.numpy.save(arrays, metadata)
    size = int.from_bytes(blob[:8], "little")
    header = json.dumps(json.loads(blob[8:8 + size]), sort_keys=True).encode()
    header += b" " * (-len(header) % 8)
    path = pathlib.Path(__file__).with_name(name + ".safetensors")
    path.write_bytes(len(header).to_bytes(8, "little") + header + blob[8 + size:])


def attend(layers, query, key, padding, heads):
    q, k, v = (
        layers[n](x).unflatten(-1, (heads, -1)).transpose(1, 2) for n, x in (("q", query), ("k", key), ("v", key))
    )
    scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
    probabilities = scores.masked_fill(padding[:, None, None], -math.inf).softmax(-1)
    return layers["o"]((probabilities @ v).transpose(1, 2).flatten(2)), probabilities


def torchs(layers, query, key, padding, heads):
    """The same by torch's own module function."""
    weight = torch.cat([layers[n].weight for n in "qkv"])
    bias = torch.cat([layers[n].bias for n in "qkv"])
    out, probabilities = nn.functional.multi_head_attention_forward(
        query.transpose(0, 1), key.transpose(0, 1), key.transpose(0, 1), WIDTH, heads, weight, bias, None, None, False, 0.0,
        layers["o"].weight, layers["o"].bias, key_padding_mask=padding, average_attn_weights=False)
    return out.transpose(0, 1), probabilities


def case(name, heads, queries, seed):
    """One file; queries None is self-attention."""
    torch.manual_seed(seed)
    layers = nn.ModuleDict({n: nn.Linear(WIDTH, WIDTH) for n in "qkvo"})
    for parameter in layers.parameters():
        nn.init.normal_(parameter, std=0.5)
    lengths = torch.tensor(LENGTHS)
    key = torch.randn(len(LENGTHS), KEYS, WIDTH, requires_grad=True)
    query = key if queries is None else torch.randn(len(LENGTHS), queries, WIDTH, requires_grad=True)
    padding = torch.arange(KEYS) >= lengths[:, None]
    output, probabilities = attend(layers, query, key, padding, heads)
    for got, want in zip((output, probabilities), torchs(layers, query, key, padding, heads)):
        assert (got - want).abs().max() < 1e-5, name
    cotangent = torch.randn_like(output)
    wanted = dict(layers.named_parameters()) | {"key": key} | ({} if queries is None else {"query": query})
    grads = torch.autograd.grad((cotangent * output).sum(), list(wanted.values()))
    tensors = wanted | {"lengths": lengths, "output": output, "probabilities": probabilities, "cotangent": cotangent}
    save(name, tensors | {f"grad.{n}": g for n, g in zip(wanted, grads)}, {"heads": heads, "seed": seed})


if __name__ == "__main__":
    torch.set_num_threads(1)
    case("self", 3, None, 1)
    case("cross", 2, 5, 2)
    case("single", 1, 4, 3)
