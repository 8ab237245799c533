"""Golden values of torch.nn.LSTM and torch.nn.GRU on packed sequences of unequal length.

    python make_golden.py        # writes lstm, gru, bilstm, bigru .safetensors beside this file

Needs torch 2.9.1, numpy 2.4.6, safetensors 0.8.0. Each file holds, in float32 unless said otherwise:

    input [B, T, d]      steps at and beyond an example's length hold noise, which must change nothing
    lengths [B]          int64
    weight_ih_l0 …       torch's names, `_reverse` for the backward direction
    output [B, T, D·h]   zero at padded steps
    last [B, D·h]        last valid state, forward first (h_n [D, B, h] and, for LSTM, c_n as torch returns them)
    cotangent.*, grad.*  gradients of sum(cotangent.output · output) + sum(cotangent.last · last)
"""

import json
import pathlib
import sys

import numpy as np
import safetensors.numpy
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

LENGTHS = [4, 7, 1, 5]
STEPS, FEATURES, HIDDEN = 7, 5, 4


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


def run(layer, x, lengths, cotangents):
    """Output, last state and gradients of one layer, on whatever dtype it has."""
    x = x.clone().requires_grad_()
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    output, state = layer(packed)
    output, _ = pad_packed_sequence(output, batch_first=True, total_length=x.shape[1])
    states = dict(zip(("h_n", "c_n"), state if isinstance(state, tuple) else (state,)))
    last = states["h_n"].transpose(0, 1).flatten(1)
    loss = (cotangents["output"] * output).sum() + (cotangents["last"] * last).sum()
    names, parameters = zip(*layer.named_parameters())
    grads = torch.autograd.grad(loss, (x, *parameters))
    grads = {f"grad.{name}": grad for name, grad in zip(("input", *names), grads)}
    return {"output": output, "last": last, "loss": loss, **states, **grads}


def case(name, kind, bidirectional, seed):
    """One file; the float64 result bounds the rounding of the float32 one."""
    torch.manual_seed(seed)
    layer = kind(FEATURES, HIDDEN, batch_first=True, bidirectional=bidirectional)
    for parameter in layer.parameters():
        nn.init.normal_(parameter, std=0.6)
    width = HIDDEN * (1 + bidirectional)
    lengths = torch.tensor(LENGTHS)
    x = torch.randn(len(LENGTHS), STEPS, FEATURES)
    cotangents = {"output": torch.randn(len(LENGTHS), STEPS, width), "last": torch.randn(len(LENGTHS), width)}
    weights = {key: value.clone() for key, value in layer.named_parameters()}
    got = run(layer, x, lengths, cotangents)
    exact = run(layer.double(), x.double(), lengths, {k: v.double() for k, v in cotangents.items()})
    rounding = max((got[key] - exact[key]).abs().max().item() for key in got)
    assert rounding < 1e-5, (name, rounding)
    config = {"cell": kind.__name__, "bidirectional": bidirectional, "hidden": HIDDEN, "seed": seed,
              "float64_difference": rounding}
    given = {"input": x, "lengths": lengths, **weights, **{f"cotangent.{k}": v for k, v in cotangents.items()}}
    save(name, given | got, config)


if __name__ == "__main__":
    torch.set_num_threads(1)
    case("lstm", nn.LSTM, False, 1)
    case("gru", nn.GRU, False, 2)
    case("bilstm", nn.LSTM, True, 3)
    case("bigru", nn.GRU, True, 4)
