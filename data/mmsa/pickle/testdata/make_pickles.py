"""Writes values.p{2,3,4,5}.pkl, the same values in four protocols, and values.json, what they are.

Made with Python 3.11.7 and NumPy 2.4.6: python make_pickles.py
"""

import json
import pathlib
import pickle

import numpy as np

HERE = pathlib.Path(__file__).parent
NUMBERS = ["f2", "<f4", ">f4", "<f8", ">f8", "i1", "<i2", ">i2", "<i4", ">i4", "<i8", ">i8",
           "u1", "<u2", ">u2", "<u4", ">u4", "<u8", ">u8", "?"]


def arrays():
    rng = np.random.default_rng(20251124)
    found = {}
    for name in NUMBERS:
        kind = np.dtype(name).kind
        values = rng.normal(size=(2, 3, 4)) * 30 if kind == "f" else rng.integers(0 if kind in "u?" else -99, 120, (2, 3, 4))
        found[f"array {name}"] = (values % 2 if name == "?" else values).astype(name)
    found["strings"] = np.array(["a", "", "sentiment", "情感 é 🙂"])
    found["big-endian strings"] = np.array(["ab", "é🙂"], dtype=">U4")
    found["byte strings"] = np.array([b"ab", b"", b"abc"])
    found["objects"] = np.array(["one", 2, 2.5, None], dtype=object)
    found["empty"] = np.zeros((0, 3), "f4")
    found["single"] = np.array(2.5)
    found["long"] = (np.arange(16400, dtype="<f4") % 251 / 2).reshape(164, 100)  # too long for a string in memory
    found["halves"] = np.array([0, -0.0, 2**-24, 2**-14, 1, -65504, np.inf, -np.inf, np.nan], "f2")
    return found


def values():
    plain = {
        "none": None, "true": True, "false": False, "text": "naïve 情感 🙂", "no text": "", "long text": "é" * 300,
        "integers": [0, 1, 255, 256, 65535, 65536, -1, 2**31 - 1, -(2**31), 2**31, 2**40, -(2**40), 2**53],
        "floats": [0.0, -1.5, 1e300, 0.1], "nested": {"a": [1, [2, [3, {"b": []}]]]},
        "words": [f"word {i % 7}" for i in range(1200)],
    }
    tuples = {"tuples": [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)]}
    scalars = {"scalars": [np.float32(1.5), np.float64(-2), np.int64(-7), np.uint8(200), np.bool_(True), np.str_("é"), np.float16(3)]}
    return plain, tuples, scalars


def describe(array):
    listed = [v.decode() if isinstance(v, bytes) else v for v in array.ravel().tolist()]
    if array.dtype.kind == "f":
        listed = [repr(v) for v in listed]
    return {"dtype": str(array.dtype.newbyteorder("=")) if array.dtype.kind not in "USO" else array.dtype.kind,
            "shape": list(array.shape), "values": listed}


def main():
    plain, tuples, scalars = values()
    held = arrays()
    everything = {"plain": plain, **tuples, **scalars, "bytes": b"\x00\x7f\x80\xff", "no bytes": b"", "arrays": held}
    everything["shared"] = [held["single"], held["single"]]
    for protocol in range(2, 6):
        data = pickle.dumps(everything, protocol=protocol)
        if protocol == 2:  # as NumPy 1 names its modules
            data = data.replace(b"numpy._core.", b"numpy.core.")
        (HERE / f"values.p{protocol}.pkl").write_bytes(data)
    buffers = {"buffer": bytearray(b"\x00\x7f\x80\xff")}
    (HERE / "bytearray.p5.pkl").write_bytes(pickle.dumps(buffers, protocol=5))
    matrix = np.arange(6.0).reshape(2, 3)
    for protocol in (4, 5):
        (HERE / f"fortran.p{protocol}.pkl").write_bytes(pickle.dumps(np.asfortranarray(matrix), protocol=protocol))
    (HERE / "transposed.p5.pkl").write_bytes(pickle.dumps(np.arange(24).reshape(2, 3, 4).transpose(1, 0, 2), protocol=5))
    described = {
        "plain": plain, "tuples": tuples["tuples"], "scalars": [v.item() for v in scalars["scalars"]],
        "bytes": list(everything["bytes"]), "arrays": {name: describe(a) for name, a in held.items()},
    }
    text = json.dumps(described, ensure_ascii=False)
    (HERE / "values.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
