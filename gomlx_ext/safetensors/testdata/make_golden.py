"""Files written by the reference implementation of safetensors.

    python make_golden.py        # writes types.safetensors and floats.safetensors beside this file

Needs torch 2.9.1, safetensors 0.8.0.

types   one tensor of every type, holding the extremes of that type; values.json lists them as numbers
floats  two float32 tensors and metadata, from 0 upwards in steps of a half: a reader that writes them back gives the same bytes
"""

import json
import pathlib

import torch
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).parent
FLOATS = {"f64": torch.float64, "f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}
INTEGERS = {"i64": torch.int64, "i32": torch.int32, "i16": torch.int16, "i8": torch.int8, "u8": torch.uint8,
            "u16": torch.uint16, "u32": torch.uint32}


def floats(dtype):
    info = torch.finfo(dtype)
    smallest = 2.0 ** {torch.float64: -1074, torch.float32: -149, torch.float16: -24, torch.bfloat16: -133}[dtype]
    return torch.tensor([0.0, -1.5, 1 / 3, info.max, info.tiny, smallest], dtype=dtype).reshape(2, 3)


def integers(dtype):
    info = torch.iinfo(dtype)
    return torch.tensor([info.min, 1, info.max], dtype=dtype)


if __name__ == "__main__":
    tensors = {name: floats(dtype) for name, dtype in FLOATS.items()}
    tensors |= {name: integers(dtype) for name, dtype in INTEGERS.items()}
    tensors |= {"bool": torch.tensor([True, False]), "scalar": torch.tensor(2.5), "empty": torch.zeros(0, 3)}
    save_file(tensors, HERE / "types.safetensors")
    values = {name: t.flatten().double().tolist() if t.is_floating_point() else [int(v) for v in t] for name, t in tensors.items()}
    (HERE / "values.json").write_text(json.dumps(values, indent=1) + "\n")
    save_file({"a": torch.arange(6).reshape(2, 3) / 2, "b": torch.arange(4) / 2}, HERE / "floats.safetensors", {"made": "here"})
