"""The torch side of BenchmarkProductsAgainstTorch. Reads lines "rows in out" and answers each with the seconds of the three products
of a linear layer: x W, its adjoint by the weights, and by x. Needs torch 2.9.1; uses two threads.
"""

import sys
import time

import torch

REPEATS = 8


def timed(product, *operands):
    start = time.perf_counter()
    for _ in range(REPEATS):
        product(*operands)
    return (time.perf_counter() - start) / REPEATS


def main():
    torch.set_num_threads(2)
    cache = {}
    for line in sys.stdin:
        rows, width, out = sizes = tuple(map(int, line.split()))
        if sizes not in cache:
            cache[sizes] = torch.randn(rows, width), torch.randn(out, width), torch.randn(rows, out)
        x, weights, adjoint = cache[sizes]
        print(
            timed(lambda: x @ weights.T),
            timed(lambda: adjoint @ weights),
            timed(lambda: adjoint.T @ x),
            flush=True,
        )


if __name__ == "__main__":
    main()
