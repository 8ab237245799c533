"""Writes small.p{2,3,4,5}.pkl, an unaligned file in MMSA's format as people save them, and small.json, what NumPy says of it.

Made with Python 3.11.7 and NumPy 2.4.6: python make_small.py
"""

import json
import pathlib
import pickle

import numpy as np

from describe import describe

HERE = pathlib.Path(__file__).parent


def padded(rng, lengths, steps, width, dtype):
    features = np.zeros((len(lengths), steps, width), dtype)
    for row, length in zip(features, lengths):
        row[:length] = rng.normal(size=(length, width))
    return features


def bert(rng, lengths, dtype):
    tokens = np.zeros((len(lengths), 3, 12), dtype)
    for row, length in zip(tokens, lengths):
        row[0, :length] = [101, *rng.integers(1000, 30000, length - 2), 102]
        row[1, :length] = 1
    return tokens


def split(rng, name, n, kinds):
    lengths = {m: rng.integers(low, high, n) for m, low, high in (("text", 2, 10), ("audio", 0, 16), ("vision", 1, 9))}
    labels = rng.uniform(-3, 3, n)
    return {
        "id": kinds(f"{name}_{i:04d}$_$1" for i in range(n)),
        "raw_text": kinds(f"句子 {i} «é»" for i in range(n)),
        "text": padded(rng, lengths["text"], 10, 6, ">f8"),
        "text_bert": bert(rng, lengths["text"] + 2, "i8"),
        "audio": padded(rng, lengths["audio"], 16, 3, "f8"),
        "vision": padded(rng, lengths["vision"], 9, 4, "f4"),
        "audio_lengths": lengths["audio"],
        "vision_lengths": list(lengths["vision"]),
        "regression_labels": [float(v) for v in labels],
        "regression_labels_T": labels.astype("f4"),
        "regression_labels_A": labels / 2,
        "regression_labels_V": list(np.sign(labels)),
        "annotations": ["Positive" if v > 0 else "Negative" for v in labels],
        "speaker": list(range(n)),
    }


def main():
    rng = np.random.default_rng(20251125)
    data = {
        "train": split(rng, "train", 7, list),
        "valid": split(rng, "valid", 3, lambda items: np.array(list(items), dtype=object)),
        "test": split(rng, "test", 4, lambda items: np.array(list(items))),
    }
    for protocol in range(2, 6):
        (HERE / f"small.p{protocol}.pkl").write_bytes(pickle.dumps(data, protocol=protocol))
    text = json.dumps(describe(data), ensure_ascii=False, indent=1)
    (HERE / "small.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
