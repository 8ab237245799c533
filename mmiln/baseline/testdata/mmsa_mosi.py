"""Trains the public reference of Self-MM, MMSA 2.2.1, on all of CMU-MOSI: text through a fine-tuned MiniLM and one audio vector a
clip, as `mmiln train mosi-selfmm` does.

    python mmsa_mosi.py MINILM MOSI_CSV AUDIO_NPY --seeds 1111 1112 --out scores.jsonl

MMSA's own model, trainer, metrics and MOSI configuration. Changed are the encoder (384 wide), the features' shapes, and that a
batch goes through BERT at its longest text instead of at 50 pieces, which alters speed and dropout's draws alone. Vision is one
zero. Appends a line of JSON a seed to --out: the scores of the best epoch on validation and test. A seed takes 15 to 30
minutes on one core.

Python 3.11, torch 2.9.1, transformers 5.24.0, MMSA 2.2.1; pip install --no-deps MMSA, then its imports easydict, pynvml, pandas,
scikit-learn, tqdm.
"""

import argparse
import csv
import json
import pickle
import random
import tempfile
import time

import numpy as np
import torch
from MMSA.config import get_config_regression
from MMSA.data_loader import MMDataLoader
from MMSA.models import AMIO
from MMSA.models.subNets.BertTextEncoder import BertTextEncoder
from MMSA.trains import ATIO
from transformers import BertTokenizer

LENGTH = 50


def features(encoder, table, audio, standardise):
    """MMSA's dictionary {split: arrays} of MOSI."""
    with open(table, newline="") as f:
        rows = list(csv.DictReader(f))
    audio = np.load(audio).astype(np.float32)
    splits = np.array([row["std_fold"] for row in rows])
    if standardise:
        train = audio[splits == "train"]
        deviation = train.std(axis=0)
        audio = (audio - train.mean(axis=0)) / np.where(deviation > 0, deviation, 1)
    tokenizer = BertTokenizer.from_pretrained(encoder)
    made = {}
    for split in ["train", "valid", "test"]:
        chosen = np.flatnonzero(splits == split)
        texts = [rows[i]["text"] for i in chosen]
        tokens = tokenizer(texts, padding="max_length", truncation=True, max_length=LENGTH, return_tensors="np")
        made[split] = {
            "raw_text": texts,
            "id": [rows[i]["id"] for i in chosen],
            "text_bert": np.stack([tokens["input_ids"], tokens["attention_mask"], np.zeros_like(tokens["input_ids"])], axis=1),
            "audio": audio[chosen][:, None, :],
            "vision": np.zeros((len(chosen), 1, 1), np.float32),
            "audio_lengths": [1] * len(chosen),
            "vision_lengths": [1] * len(chosen),
            "regression_labels": np.array([float(rows[i]["label"]) for i in chosen], np.float32),
        }
    return made


def at_longest(forward):
    """BertTextEncoder.forward without the columns that no text of the batch reaches."""
    return lambda self, text: forward(self, text[:, :, : int(text[:, 1].sum(dim=1).max())])


def seeded(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def train(args, seed, folder):
    seeded(seed)
    args = type(args)(args)
    args.seed, args.model_save_path = seed, f"{folder}/{seed}.pth"
    loaders = MMDataLoader(args, 0)
    args.train_samples = len(loaders["train"].dataset)
    model = AMIO(args)
    trainer = ATIO().getTrain(args)
    start = time.time()
    trainer.do_train(model, loaders)
    seconds = time.time() - start
    model.load_state_dict(torch.load(args.model_save_path))
    score = lambda split: {k: float(v) for k, v in trainer.do_test(model, loaders[split]).items()}
    return {"seed": seed, "seconds": seconds, "valid": score("valid"), "test": score("test")}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("encoder")
    parser.add_argument("table")
    parser.add_argument("audio")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1111, 1112, 1113, 1114, 1115])
    parser.add_argument("--standardise", action="store_true", help="audio, by the training split, as the Go side does")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", required=True)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    BertTextEncoder.forward = at_longest(BertTextEncoder.forward)
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/mosi.pkl"
        with open(path, "wb") as f:
            pickle.dump(features(options.encoder, options.table, options.audio, options.standardise), f)
        args = get_config_regression("self_mm", "mosi")
        args.update(
            featurePath=path, custom_feature=path, pretrained=options.encoder, transformers="bert", text_out=384, device="cpu",
            feature_T="", feature_A="", feature_V="", need_normalized=False, train_mode="regression", save_labels=False,
        )
        for seed in options.seeds:
            line = json.dumps({"standardise": options.standardise} | train(args, seed, folder))
            print(line, flush=True)
            with open(options.out, "a") as f:
                f.write(line + "\n")


if __name__ == "__main__":
    main()
