"""Golden values of torch.optim.Adam with two groups and summed gradients.

    python make_golden.py        # writes adam.safetensors beside this file

Needs torch 2.9.1, numpy 2.4.6, safetensors 0.8.0. The loss is Σ (a ⊙ x_i)² + Σ (b − x_i)⁴ over the batches x_i [3] of one step, two
batches a step, so that gradients are sums:

    x [S, 2, 3]          batches of each step
    a, b [3]             the start; a has lr 0.05 and decay 0.1, b lr 0.01 and none
    a_after, b_after [S, 3]
"""

import pathlib

import safetensors.torch
import torch

STEPS = 5

if __name__ == "__main__":
    torch.manual_seed(1)
    x, start = torch.randn(STEPS, 2, 3), torch.randn(2, 3)
    a, b = (torch.nn.Parameter(value.clone()) for value in start)
    adam = torch.optim.Adam([{"params": [a], "lr": 0.05, "weight_decay": 0.1}, {"params": [b], "lr": 0.01}])
    after = {"a": [], "b": []}
    for step in x:
        adam.zero_grad()
        for batch in step:
            ((a * batch).square().sum() + (b - batch).pow(4).sum()).backward()
        adam.step()
        after["a"].append(a.detach().clone())
        after["b"].append(b.detach().clone())
    tensors = {"x": x, "a": start[0].clone(), "b": start[1].clone()} | {f"{k}_after": torch.stack(v) for k, v in after.items()}
    safetensors.torch.save_file(tensors, pathlib.Path(__file__).with_name("adam.safetensors"), {"torch": torch.__version__})
