"""Golden values of the soft orthogonality loss between two batches of vectors.

    python make_golden.py        # writes soft*.safetensors and raw.safetensors beside this file

Needs torch 2.9.1, numpy 2.4.6, safetensors 0.8.0. All float64:

    x, y [B, d]              one row an example
    loss []                  raw: ‖xᵀy‖_F²; soft: columns centred over the batch, then rows divided by (their L2 norm + 1e-6),
                             then ‖xᵀy‖_F² / d²
    grad.x, grad.y           of the loss as written; a zero row's norm has subgradient zero
    detached.x, detached.y   soft only: gradients with the norms held constant, as MISA's DiffLoss has them (DSN does not)

1e-6 is DiffLoss's. `soft_single` has one row, zero once centred.
"""

import json
import pathlib
import sys

import numpy as np
import safetensors.numpy
import torch

EPSILON = 1e-6


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


def normalise(x, detach):
    """Columns centred, rows of unit length."""
    x = x - x.mean(0)
    norm = torch.linalg.vector_norm(x, dim=1, keepdim=True)
    return x / ((norm.detach() if detach else norm) + EPSILON)


def soft(x, y, detach=False):
    product = normalise(x, detach).T @ normalise(y, detach)
    return product.square().sum() / x.shape[1] ** 2


def raw(x, y):
    return (x.T @ y).square().sum()


def case(name, form, x, y):
    x, y = x.double().requires_grad_(), y.double().requires_grad_()
    loss = form(x, y)
    tensors = {"x": x, "y": y, "loss": loss}
    tensors |= zip(("grad.x", "grad.y"), torch.autograd.grad(loss, (x, y)))
    if form is soft:
        tensors |= zip(("detached.x", "detached.y"), torch.autograd.grad(soft(x, y, detach=True), (x, y)))
    save(name, tensors, {"form": form.__name__, "epsilon": EPSILON})


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.manual_seed(1)
    x, y = torch.tanh(torch.randn(6, 4)), torch.tanh(0.5 * torch.randn(6, 4) + 0.3)
    case("soft", soft, x, y)
    case("soft_single", soft, x[:1], y[:1])
    case("raw", raw, x, y)
