"""Prints as JSON what NumPy says of an MMSA feature file: python describe.py features.pkl

arrays     type, shape and SHA-256 of the bytes in C order, of every array of numbers or strings
lists      every list and array of objects
sequences  SHA-256 of all sequences of a modality one after the other, as float32 without their padding: by the stated
           lengths, else up to the last step that is not zero (right for files that are padded at the end and not aligned
           without lengths)
"""

import hashlib
import json
import pickle
import sys

import numpy as np


def digest(array):
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def plain(items):
    return [v.item() if isinstance(v, np.generic) else v for v in items]


def sequences(split, modality):
    features, stated = split[modality], split.get(modality + "_lengths")
    kept = []
    for i, row in enumerate(features):
        filled = np.flatnonzero((row != 0).any(-1))
        length = int(stated[i]) if stated is not None else (filled[-1] + 1 if len(filled) else 0)
        kept.append(row[:length].astype("<f4"))
    return digest(np.concatenate(kept))


def describe(data):
    described = {"arrays": {}, "lists": {}, "sequences": {}}
    for name, split in data.items():
        for key, value in split.items():
            if isinstance(value, np.ndarray) and value.dtype != object:
                kind = value.dtype.str[1:] if value.dtype.kind in "US" else str(value.dtype.newbyteorder("="))
                described["arrays"][f"{name}/{key}"] = {"type": kind, "shape": list(value.shape), "sha256": digest(value)}
            else:
                described["lists"][f"{name}/{key}"] = plain(value)
        for modality in ("text", "audio", "vision"):
            described["sequences"][f"{name}/{modality}"] = sequences(split, modality)
    return described


if __name__ == "__main__":
    with open(sys.argv[1], "rb") as file:
        print(json.dumps(describe(pickle.load(file)), ensure_ascii=False, allow_nan=False))
