"""The PyTorch side of BenchmarkAgainstTorch: a step of fine-tuning BERT with transformers, dropout 0.1, Adam on all weights.

Reads lines "minilm|base batch steps" and answers each with the seconds of one step and the megabytes that the process had at
most during it. Random weights and word pieces. Needs torch 2.9.1 and transformers 5.24.0; uses two threads.
"""

import sys
import time

import torch
from transformers import BertConfig, BertModel

SIZES = {
    "minilm": {"hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12, "intermediate_size": 1536},
    "base": {},
}


def forget_peak():
    with open("/proc/self/clear_refs", "w") as f:
        f.write("5")


def peak():
    with open("/proc/self/status") as f:
        return next(int(line.split()[1]) // 1024 for line in f if line.startswith("VmHWM"))


def main():
    torch.set_num_threads(2)
    models = {}
    for line in sys.stdin:
        name, batch, steps = line.split()
        batch, steps = int(batch), int(steps)
        if name not in models:
            models.clear()
            model = BertModel(BertConfig(**SIZES[name])).train()
            models[name] = model, torch.optim.Adam(model.parameters(), lr=1e-5, weight_decay=0.01)
        model, optimiser = models[name]
        ids = (1000 + torch.arange(batch * steps) * 7919 % 20000).view(batch, steps)
        mask = torch.ones(batch, steps, dtype=torch.long)
        for _ in range(2 if optimiser.state == {} else 1):  # the first step sets Adam's state up
            forget_peak()
            start = time.perf_counter()
            optimiser.zero_grad()
            model(input_ids=ids, attention_mask=mask).pooler_output.square().mean().backward()
            optimiser.step()
            seconds = time.perf_counter() - start
        print(seconds, peak(), flush=True)


if __name__ == "__main__":
    main()
