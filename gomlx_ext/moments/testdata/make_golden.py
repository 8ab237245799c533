"""Golden values of the central moment discrepancy.

    python make_golden.py        # writes cmd_*.safetensors beside this file

Needs torch 2.9.1, numpy 2.4.6, safetensors 0.8.0. All float64:

    x, y [B, d]          two samples, one row an example
    cmd []               ‖E x − E y‖₂/s + Σ_{j=2..K} ‖C_j(x) − C_j(y)‖₂/s^j, s = |b − a|
    terms [K]            its summands
    grad.x, grad.y       where a norm is zero, its subgradient zero

`cmd_identical` and `cmd_single` (one row: every central moment zero) are where a bare square root has no gradient.
"""

import json
import pathlib
import sys

import numpy as np
import safetensors.numpy
import torch

ORDERS = 5


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


def summands(x, y, span):
    """The K terms, first the means', then the central moments'."""
    dx, dy = x - x.mean(0), y - y.mean(0)
    differences = [x.mean(0) - y.mean(0)]
    differences += [(dx ** j).mean(0) - (dy ** j).mean(0) for j in range(2, ORDERS + 1)]
    return torch.stack([torch.linalg.vector_norm(d) / span ** j for j, d in enumerate(differences, 1)])


def case(name, x, y, span):
    x, y = x.double().requires_grad_(), y.double().requires_grad_()
    terms = summands(x, y, span)
    grads = torch.autograd.grad(terms.sum(), (x, y))
    save(name, {"x": x, "y": y, "cmd": terms.sum(), "terms": terms, "grad.x": grads[0], "grad.y": grads[1]},
         {"orders": ORDERS, "span": span})


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.manual_seed(1)
    # Values a float32 holds exactly, in (−1, 1) as averaged GRU states are, with visibly different moments.
    x, y = torch.tanh(torch.randn(6, 4)), torch.tanh(0.5 * torch.randn(6, 4) + 0.3)
    case("cmd_span2", x, y, 2.0)
    case("cmd_span1", x, y, 1.0)
    case("cmd_identical", x, x.clone(), 2.0)
    case("cmd_single", x[:1], y[:1], 2.0)
