"""The PyTorch side of the step benchmark: one MMILN training step of the reference model, on demand.

    python torch_step.py --lengths 50/375/500               # asked by another program, over stdin and stdout
    python torch_step.py --lengths 50/50/50 --steps 20      # on its own: 20 steps, or --seconds, whichever is first

Needs torch 2.9.1 and numpy 2.4.6. Protocol, one line each way: it prints {"ready": true, "first_step_s": …, …} once; then each
`go K` on stdin runs K steps and prints {"step_ms": [K numbers], "rss_mb": now, "peak_mb": so far}. End of input ends it.

A step is forward, Eq. (36), backward and Adam, in training mode. Every sequence is full, and masks are applied all the same, as
whoever trains on real data must. Attention is written out ("manual") or torch's scaled_dot_product_attention ("fused", though
torch has no fused CPU kernel with attention dropout). Recurrent layers are packed, or read padded sequences, the reverse
direction through an index that turns the valid steps around: the same numbers, but the backward pass of a packed GRU takes twice
as long at 500 steps. What is left at `auto` is tried in processes of their own first (so that it does not show in this one's
memory), and the fastest is used and named. `first_step_s` counts building the model and its first step, not the import of torch.
"""

import argparse
import json
import pathlib
import resource
import statistics
import subprocess
import sys
import time

import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "testdata" / "reference"))
import model as reference  # noqa: E402
from model import MMILN, Config, Sequence, losses  # noqa: E402

BATCH = 16
RATES = {"audio": (5e-3, 1e-3), "vision": (5e-3, 1e-3), "other": (1e-3, 1e-3)}  # Self-MM's lr and decay on MOSI


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lengths", default="50/50/50", help="text/audio/vision steps")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--attention", choices=("auto", "manual", "fused"), default="auto")
    parser.add_argument("--recurrent", choices=("auto", "packed", "padded"), default="auto")
    parser.add_argument("--adam", choices=("fused", "foreach", "loop"), default="fused")
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--seconds", type=float)
    return parser.parse_args()


def groups(model):
    """Adam's parameter groups: the audio encoder, the vision encoder, the rest."""
    names = {name: next((m for m in RATES if name.startswith(f"encoder.{m}.")), "other") for name, _ in model.named_parameters()}
    parameters = dict(model.named_parameters())
    return [
        {"params": [p for name, p in parameters.items() if names[name] == group], "lr": lr, "weight_decay": decay}
        for group, (lr, decay) in RATES.items()
    ]


def padded(layer, seq):
    """model.recur without packing: padding comes after what a direction reads, so it cannot reach a valid step."""
    states = [direction(layer, seq.x, "")]
    if layer.bidirectional:
        steps = torch.arange(seq.x.shape[1]).expand(seq.x.shape[:2])
        turned = torch.where(seq.mask[..., 0], seq.lengths[:, None] - 1 - steps, steps)[..., None]
        backward = direction(layer, seq.x.gather(1, turned.expand_as(seq.x)), "_reverse")
        states.append(backward.gather(1, turned.expand_as(backward)))
    return torch.cat(states, -1) * seq.mask, [None]


def direction(layer, x, suffix):
    """One direction of a torch recurrent layer, by the function that the layer itself calls."""
    weights = [getattr(layer, f"{name}_l0{suffix}") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
    zeros = x.new_zeros(1, x.shape[0], layer.hidden_size)
    rest = weights, True, 1, 0.0, layer.training, False, True  # biases, layers, dropout, training, bidirectional, batch first
    if isinstance(layer, torch.nn.LSTM):
        return torch.lstm(x, (zeros, zeros), *rest)[0]
    return torch.gru(x, zeros, *rest)[0]


class Trainer:
    """Model, optimiser and one fixed batch."""

    def __init__(self, args, attention, recurrent):
        torch.manual_seed(1111)
        if recurrent == "padded":
            reference.recur = padded
        config = Config(dropout=args.dropout, head_dropout=args.dropout, fused=attention == "fused")
        self.model = MMILN(config).train()
        fast = {"fused": {"fused": True}, "foreach": {"foreach": True}, "loop": {"foreach": False}}[args.adam]
        self.adam = torch.optim.Adam(groups(self.model), **fast)
        steps = dict(zip(("text", "audio", "vision"), map(int, args.lengths.split("/"))))
        self.inputs = {
            m: Sequence(torch.randn(BATCH, t, getattr(config, m + "_features")), torch.full((BATCH,), t)) for m, t in steps.items()
        }
        self.labels = {task: 6 * torch.rand(BATCH) - 3 for task in ("multimodal", "audio", "vision")}

    def step(self):
        """One training step; returns its milliseconds. Reading the loss is part of it."""
        start = time.perf_counter()
        self.adam.zero_grad()
        loss = losses(self.model.c, self.model(self.inputs), self.labels)["loss"]
        loss.backward()
        self.adam.step()
        assert loss.item() == loss.item(), "the loss is not a number"
        return 1000 * (time.perf_counter() - start)


def say(**what):
    print(json.dumps(what), flush=True)


def report(times):
    pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    say(step_ms=[round(ms, 3) for ms in times], rss_mb=round(pages * resource.getpagesize() / 2**20, 1), peak_mb=round(peak, 1))


def probe(args):
    """Median milliseconds of a few steps of each pair (attention, recurrent) left open."""
    found = {}
    for attention in ("manual", "fused") if args.attention == "auto" else (args.attention,):
        for recurrent in ("packed", "padded") if args.recurrent == "auto" else (args.recurrent,):
            command = [sys.executable, __file__, "--lengths", args.lengths, "--threads", str(args.threads), "--adam", args.adam,
                       "--dropout", str(args.dropout), "--attention", attention, "--recurrent", recurrent, "--steps", "3"]
            lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
            found[attention, recurrent] = statistics.median(json.loads(lines[-1])["step_ms"])
    return found


def alone(trainer, steps, seconds):
    times, end = [], time.monotonic() + (seconds or float("inf"))
    while len(times) < (steps or float("inf")) and time.monotonic() < end:
        times.append(trainer.step())
    report(times)


def serve(trainer):
    for line in sys.stdin:
        word, _, count = line.strip().partition(" ")
        if word != "go" or not count.isdigit():
            sys.exit(f"torch_step: expected 'go K', got {line.strip()!r}")
        report([trainer.step() for _ in range(int(count))])


def main():
    args = arguments()
    torch.set_num_threads(args.threads)
    torch.set_num_interop_threads(1)
    tried = probe(args) if "auto" in (args.attention, args.recurrent) else {}
    attention, recurrent = min(tried, key=tried.get) if tried else (args.attention, args.recurrent)
    start = time.perf_counter()
    trainer = Trainer(args, attention, recurrent)
    trainer.step()
    say(ready=True, first_step_s=round(time.perf_counter() - start, 3), attention=attention, recurrent=recurrent, adam=args.adam,
        threads=torch.get_num_threads(), torch=torch.__version__,
        tried_ms={"+".join(key): round(ms, 1) for key, ms in tried.items()})
    if args.steps or args.seconds:
        alone(trainer, args.steps, args.seconds)
    else:
        serve(trainer)


if __name__ == "__main__":
    main()
