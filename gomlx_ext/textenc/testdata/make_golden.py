"""A small random BERT in tiny/, and what transformers computes with it.

    python make_golden.py        # writes tiny/, tiny.safetensors and tokens.json beside this file

Needs torch 2.9.1, transformers 5.24.0, tokenizers 0.23.3, safetensors 0.8.0, numpy 2.4.6.

tiny.safetensors holds ids, types [B, T] and lengths [B] (int64); hidden [B, T, d] and pooled [B, d] by activation, hidden zero
beyond the lengths; cotangents of both, hidden's too zero there; and, for gelu, the gradient of every weight of
sum(cotangent.hidden * hidden) + sum(cotangent.pooled * pooled), under the weight's name after "grad.".

tokens.json holds texts, their ids with the tokenizer of tiny/, with the same vocabulary and case and accents kept ("cased"), cut to
6 ids ("short"), and the SHA-256 of the ids of every character between two letters ("characters", one line each).
"""

import hashlib
import json
import pathlib
import shutil
import string
import sys
import tempfile

import numpy as np
import safetensors.numpy
import torch
import transformers
from transformers import AutoTokenizer, BertConfig, BertModel, BertTokenizer

HERE = pathlib.Path(__file__).parent
TINY = HERE / "tiny"
LENGTHS = [7, 4, 2]

TEXTS = [
    "", " ", "the film was not good", "The FILM was not good!!!", "unaffable", "don't stop-now, $5.00 ~`^|<>=+", "[CLS] is [SEP] and [MASK]",
    "x[SEP]y [[PAD]] [MASK [cls]", "caf\u00e9 na\u00efve \u00c5ngstr\u00f6m", "e\u0301\u0302 Z\u0351\u036b\u0343a\u0308", "\u4f60\u597d\uff0c\u4e16\u754c mixed \u6587\u5b57", "\u65e5\u672c\u8a9e\u306e\u30c6\u30ad\u30b9\u30c8",
    "\U0001f600 a\U0001f600b \U0001f469\u200d\U0001f467", "a\u0000b\u0007c\u001b[0m", "a\u200bb\u200dc\ufeffd\u00ad", "\t\n\r x\u00a0y\u3000z\u2028w\u0085v", "film" * 2500, "a" * 100, "a" * 101,
    "\u00e9" * 100, "\u00e9" * 101, "a b " * 2500, "\u0130stanbul \u1e9e \u03c2 \u03a3 \u0391\u03a3 \u01c5", "\ud55c\uad6d\uc5b4 \ufb01 \u00bd \u2122", "\ufffd a", "\u0915\u094d\u0937\u093f \u0e01\u0e33", "##ing #ing",
    "\ue000private\uf8ff", "\U0001d518\U0001d52b", "\u2026\u2014\u2013\u2018\u2019\u201c\u201d", "\x7f\x80\x9f", "\u166d \u1734 \u2e43 \u08e2",
]


def vocabulary():
    letters = string.ascii_lowercase + string.digits + "\u00e9\u00c9"
    words = ["the", "film", "was", "not", "good", "bad", "really", "aw", "##ful", "una", "##ff", "##able", "##ing", "THE", "\u03c3", "##\u03c3", "i\u0307", "##i\u0307"]
    return (["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *("##" + c for c in letters), *string.ascii_uppercase,
             *string.punctuation, *words, *"\u4f60\u597d\u4e16\u754c\u6587\uff0c"])


def save(name, tensors):
    """Writes beside this file; the header is sorted, so that the same values give the same bytes."""
    metadata = {"torch": torch.__version__, "transformers": transformers.__version__, "numpy": np.__version__, "python": sys.version.split()[0]}
    blob = safetensors.numpy.save({k: np.array(v.detach().numpy(), order="C") for k, v in tensors.items()}, metadata)
    size = int.from_bytes(blob[:8], "little")
    header = json.dumps(json.loads(blob[8:8 + size]), sort_keys=True).encode()
    header += b" " * (-len(header) % 8)
    HERE.joinpath(name + ".safetensors").write_bytes(len(header).to_bytes(8, "little") + header + blob[8 + size:])


def tokenizer(directory, **settings):
    directory.joinpath("vocab.txt").write_text("\n".join(vocabulary()) + "\n", encoding="utf-8")
    directory.joinpath("tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "BertTokenizer", **settings}) + "\n")
    return AutoTokenizer.from_pretrained(directory)


def tokens():
    with tempfile.TemporaryDirectory() as folder:
        plain = tokenizer(pathlib.Path(folder), do_lower_case=True)
        plain.save_pretrained(TINY)
    with tempfile.TemporaryDirectory() as folder:
        cased = tokenizer(pathlib.Path(folder), do_lower_case=False)(TEXTS)["input_ids"]
    assert isinstance(plain, BertTokenizer)
    characters = [f"a{chr(c)}b" for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    lines = "".join(",".join(map(str, ids)) + "\n" for ids in plain(characters)["input_ids"])
    golden = {"texts": TEXTS, "ids": plain(TEXTS)["input_ids"], "cased": cased,
              "short": plain(TEXTS, truncation=True, max_length=6)["input_ids"],
              "characters": hashlib.sha256(lines.encode()).hexdigest()}
    HERE.joinpath("tokens.json").write_text(json.dumps(golden) + "\n")


def values(model):
    generator = torch.Generator().manual_seed(2)
    valid = torch.arange(max(LENGTHS)) < torch.tensor(LENGTHS)[:, None]
    ids = torch.randint(5, model.config.vocab_size, valid.shape, generator=generator) * valid
    ids[0, 3] = ids[0, 1]
    types = (torch.arange(max(LENGTHS)) >= 2).long() * valid
    out = {"ids": ids, "types": types, "lengths": torch.tensor(LENGTHS)}
    for activation in ("relu", "gelu_new", "gelu"):
        config = BertConfig(**{**model.config.to_dict(), "hidden_act": activation})
        other = BertModel(config).eval()
        other.load_state_dict(model.state_dict())
        result = other(input_ids=ids, attention_mask=valid.long(), token_type_ids=types)
        out[activation + ".hidden"], out[activation + ".pooled"] = result.last_hidden_state * valid[..., None], result.pooler_output
    hidden, pooled = out["gelu.hidden"], out["gelu.pooled"]
    out["cotangent.hidden"] = torch.randn(hidden.shape, generator=generator) * valid[..., None]
    out["cotangent.pooled"] = torch.randn(pooled.shape, generator=generator)
    loss = (out["cotangent.hidden"] * hidden).sum() + (out["cotangent.pooled"] * pooled).sum()
    names, weights = zip(*other.named_parameters())
    return out | {"grad." + n: g for n, g in zip(names, torch.autograd.grad(loss, weights))}


if __name__ == "__main__":
    torch.manual_seed(1)
    shutil.rmtree(TINY, ignore_errors=True)
    model = BertModel(BertConfig(vocab_size=len(vocabulary()), hidden_size=16, num_hidden_layers=2, num_attention_heads=4,
                                 intermediate_size=32, max_position_embeddings=64, initializer_range=0.3))
    for parameter in model.parameters():
        if parameter.ndim == 1:
            torch.nn.init.normal_(parameter, 0.5, 0.3)
    model.save_pretrained(TINY)
    tokens()
    save("tiny", values(model))
