"""Golden files: safetensors with versions and the case's config in the metadata."""

import json
import pathlib
import sys

import numpy as np
import safetensors.numpy
import torch

FOLDER = pathlib.Path(__file__).with_name("golden")


def save(name, tensors, config):
    """Writes golden/NAME.safetensors; the header is sorted, so that the same values give the same bytes."""
    metadata = {"config": json.dumps(config, sort_keys=True), "torch": torch.__version__,
                "numpy": np.__version__, "python": sys.version.split()[0]}
    arrays = {key: np.array(value.detach() if torch.is_tensor(value) else value, order="C") for key, value in tensors.items()}
    blob = safetensors.numpy.save(arrays, metadata)
    size = int.from_bytes(blob[:8], "little")
    header = json.dumps(json.loads(blob[8:8 + size]), sort_keys=True).encode()
    header += b" " * (-len(header) % 8)
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{name}.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + blob[8 + size:])
