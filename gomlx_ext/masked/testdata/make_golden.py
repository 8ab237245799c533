"""Golden values of masked mean pooling and masked "same" convolution over time.

    python make_golden.py        # writes mean, conv1, conv3, conv5 .safetensors beside this file

Needs torch 2.9.1, numpy 2.4.6, safetensors 0.8.0. float32 unless said otherwise:

    input [B, T, d]      steps at and beyond an example's length hold noise, which must change nothing
    lengths [B]          int64
    weight [d_out, d, k], bias [d_out]   torch.nn.Conv1d's
    output               mean: [B, d]; conv: [B, T, d_out], zero at padded steps
    unmasked             conv only: the same before its padded steps are zeroed
    cotangent, grad.*    gradients of sum(cotangent · output)
"""

import json
import pathlib
import sys

import numpy as np
import safetensors.numpy
import torch
from torch import nn

LENGTHS = [4, 7, 1, 5]
STEPS, FEATURES, WIDTH = 7, 5, 6


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


def given(seed):
    """Input, lengths and mask [B, T, 1] of one case."""
    torch.manual_seed(seed)
    lengths = torch.tensor(LENGTHS)
    mask = (torch.arange(STEPS) < lengths[:, None])[..., None].float()
    return torch.randn(len(LENGTHS), STEPS, FEATURES, requires_grad=True), lengths, mask


def mean(seed):
    x, lengths, mask = given(seed)
    output = torch.stack([row[:n].mean(0) for row, n in zip(x, LENGTHS)])
    cotangent = torch.randn_like(output)
    (grad,) = torch.autograd.grad((cotangent * output).sum(), x)
    save("mean", {"input": x, "lengths": lengths, "output": output, "cotangent": cotangent, "grad.input": grad},
         {"op": "mean", "seed": seed})


def conv(kernel, seed):
    x, lengths, mask = given(seed)
    layer = nn.Conv1d(FEATURES, WIDTH, kernel, padding="same")
    unmasked = layer((x * mask).transpose(1, 2)).transpose(1, 2)
    output = unmasked * mask
    cotangent = torch.randn_like(output)
    grads = torch.autograd.grad((cotangent * output).sum(), (x, layer.weight, layer.bias))
    grads = dict(zip(("grad.input", "grad.weight", "grad.bias"), grads))
    save(f"conv{kernel}", {"input": x, "lengths": lengths, "weight": layer.weight, "bias": layer.bias, "output": output,
                           "unmasked": unmasked, "cotangent": cotangent, **grads},
         {"op": "conv", "kernel": kernel, "seed": seed})


if __name__ == "__main__":
    torch.set_num_threads(1)
    mean(1)
    for kernel in (1, 3, 5):
        conv(kernel, 10 + kernel)
