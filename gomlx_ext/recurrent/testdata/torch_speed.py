"""The torch side of BenchmarkAgainstTorch: forward and backward of torch.nn.GRU and LSTM, both directions.

Reads lines "GRU|LSTM batch steps features hidden" and answers each with the seconds of one pass. Needs torch 2.9.1.
"""

import sys
import time

import torch


def layer(cache, kind, batch, steps, features, hidden):
    key = (kind, batch, steps, features, hidden)
    if key not in cache:
        module = getattr(torch.nn, kind)(features, hidden, batch_first=True, bidirectional=True)
        cache[key] = module, torch.randn(batch, steps, features, requires_grad=True)
    return cache[key]


def main():
    cache = {}
    for line in sys.stdin:
        kind, *sizes = line.split()
        module, x = layer(cache, kind, *map(int, sizes))
        start = time.perf_counter()
        output, state = module(x)
        last = state[0] if isinstance(state, tuple) else state
        (output.square().sum() + last.square().sum()).backward()
        print(time.perf_counter() - start, flush=True)


if __name__ == "__main__":
    main()
