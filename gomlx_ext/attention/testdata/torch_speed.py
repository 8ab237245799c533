"""The torch side of BenchmarkAgainstTorch: forward and backward of multi-head attention with dropout 0.1 in training mode.

Reads lines "written|fused batch queries keys width heads" and answers each with the seconds of one pass: softmax written out, or
torch's scaled_dot_product_attention. As many queries as keys is self-attention. Needs torch 2.9.1; uses two threads.
"""

import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

RATE = 0.1


class Attention(nn.Module):
    def __init__(self, batch, queries, keys, width, heads):
        super().__init__()
        self.heads = heads
        self.q, self.k, self.v, self.o = (nn.Linear(width, width) for _ in range(4))
        self.key = torch.randn(batch, keys, width, requires_grad=True)
        self.query = self.key if queries == keys else torch.randn(batch, queries, width, requires_grad=True)
        self.mask = (torch.arange(keys) < torch.full((batch, 1), keys))[:, None, None]
        self.cotangent = torch.randn(batch, queries, width)

    def forward(self, kind):
        q, k, v = (
            layer(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for layer, x in ((self.q, self.query), (self.k, self.key), (self.v, self.key))
        )
        if kind == "fused":
            mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=self.mask, dropout_p=RATE)
        else:
            scores = q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5
            mixed = F.dropout(scores.masked_fill(~self.mask, -torch.inf).softmax(-1), RATE) @ v
        return F.dropout(self.o(mixed.transpose(1, 2).flatten(2)), RATE)


def main():
    torch.set_num_threads(2)
    cache = {}
    for line in sys.stdin:
        kind, *sizes = line.split()
        sizes = tuple(map(int, sizes))
        layer = cache.setdefault(sizes, None) or Attention(*sizes)
        cache[sizes] = layer
        start = time.perf_counter()
        inputs = {id(x): x for x in (layer.query, layer.key, *layer.parameters())}
        torch.autograd.grad(layer(kind), list(inputs.values()), layer.cotangent)
        print(time.perf_counter() - start, flush=True)


if __name__ == "__main__":
    main()
