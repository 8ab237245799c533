"""MMILN and Self-MM in PyTorch: the reference that the Go code is checked against.

Written from the paper's equations alone. `Config` names the readings of its unclear places; the first value is the default.

    R1  memory          sequence | last    Eq. 4 sees every step, or one: LSTM's last valid state, text's first token
    R2  kernel          3 | 1              padded steps are zeroed before the convolution, and after it (which nothing sees)
    R3  directions      concat | average   d_s/2 wide each, or d_s wide each and averaged (stays in (−1, 1), W stays square)
    R4  summary_pool    valid | all        mean over valid steps, or over T, padded states counting as zero
    R5  gate_scope      utterance | step   σ(W avgpool(h)) broadcast over time, or σ(W h_t); ĥ for (25), (26) stays pooled
    R6  (none)                             as printed, Eq. 11 needs its own result
    R7  gate_bias       true | false       biases of W_r, W_c and W_s; attention and FFN always have theirs
    R8  self_attention  multihead | single | residual   same heads; one head; same heads, with H = X + attention
    R9  orders          5                  K
    R10 span            2 | 1              |b − a|
    R11 orthogonality   soft | raw         soft: centre over the batch, rows / (norm + 1e-6), ‖·‖_F² / d_s²; raw: ‖·‖_F²
        detach_norm     false | true       soft: whether the row norms are constants to the gradient (MISA) or not (DSN)
    R12 summary_layers  last | all         all: ℓ_sim and ℓ_diff are sums over the layers
    R13 pool            mean | first       first: ta and tv (and X_t⁰ without GateFusion) by first token; a and v always by mean
    R16 no_gate_fusion                     F*_m from pooled X_t⁰, X_aˡ, X_vˡ; GateTransformers keep their gates

R14 and R17 are in ulgm.py; R15 is whatever numbers a Config holds. What else the paper leaves open, decided here:

    ĥ_f of layer i comes from X_f of layer i−1, so ĥ of layer l has not passed layer l (Eqs. 7 and 16, literally)
    no_mfm       every gate is 1: no BiGRU, no W_r, W_c, W_s exist; ℓ_sim = ℓ_diff = 0
    no_mrm       ℓ = ℓ_task; ℓ_sim and ℓ_diff are still measured
    attention    q, k, v, o with biases, scale 1/√(d_s/heads), padded keys −∞; W_Q, W_K, W_V of Eq. 21 are its q, k, v
    FFN          Linear → ReLU → dropout → Linear
    dropout      attention probabilities, output of o (so X_mh has it), hidden layer and output of the FFN; heads have their own
    norm of 0    a norm's gradient there is 0 (CMD of equal samples, a batch of one)
    X after a layer is zero at padded steps
"""

import dataclasses
import math

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

AUXILIARY = ("audio", "vision")


@dataclasses.dataclass
class Config:
    """Widths, readings, ablations and loss of either model; unused fields are ignored."""

    text_features: int = 768
    audio_features: int = 5
    vision_features: int = 20
    audio_hidden: int = 16
    vision_hidden: int = 32
    audio_output: int = 16  # Self-MM only
    vision_output: int = 32  # Self-MM only
    width: int = 128  # d_s
    heads: int = 8
    ffn: int = 512
    layers: int = 3
    head_multimodal: int = 128
    head_text: int = 32  # Self-MM only
    head_audio: int = 16
    head_vision: int = 32
    dropout: float = 0.0
    head_dropout: float = 0.0
    alpha: float = 0.3
    beta: float = 0.1
    fusion_loss: str = "l2"  # l1: Self-MM's

    memory: str = "sequence"
    kernel: int = 3
    directions: str = "concat"
    summary_pool: str = "valid"
    gate_scope: str = "utterance"
    gate_bias: bool = True
    self_attention: str = "multihead"
    orders: int = 5
    span: float = 2.0
    orthogonality: str = "soft"
    detach_norm: bool = False
    summary_layers: str = "last"
    pool: str = "mean"
    text_pool: str = "first"  # Self-MM only: first | mean

    no_mrm: bool = False
    no_mfm: bool = False
    no_gate_fusion: bool = False

    fused: bool = False  # speed only: F.scaled_dot_product_attention, no attention taps


class Sequence:
    """x [B, T, d], lengths [B] and mask [B, T, 1], which is 1 on valid steps."""

    def __init__(self, x, lengths):
        self.x, self.lengths = x, lengths
        self.mask = (torch.arange(x.shape[1]) < lengths[:, None])[..., None]

    def over(self, x):
        """x with this sequence's mask, zero at padded steps."""
        new = object.__new__(Sequence)
        new.x, new.lengths, new.mask = x * self.mask, self.lengths, self.mask
        return new

    def mean(self):
        return (self.x * self.mask).sum(1) / self.lengths[:, None]


def recur(layer, seq):
    """States [B, T, h] of a recurrent layer on the true lengths, zero at padded steps, and h_n."""
    packed = pack_padded_sequence(seq.x, seq.lengths, batch_first=True, enforce_sorted=False)
    output, state = layer(packed)
    output, _ = pad_packed_sequence(output, batch_first=True, total_length=seq.x.shape[1])
    return output, state[0] if isinstance(state, tuple) else state


class Attention(nn.Module):
    """MH-ATT."""

    def __init__(self, c, heads):
        super().__init__()
        self.heads, self.rate, self.fused = heads, c.dropout, c.fused
        self.q, self.k, self.v, self.o = (nn.Linear(c.width, c.width) for _ in range(4))

    def forward(self, query, key, mask, taps, name):
        """query [B, Q, d_s], key (and value) [B, K, d_s], mask [B, K, 1] of the keys."""
        q, k, v = (
            layer(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for layer, x in ((self.q, query), (self.k, key), (self.v, key))
        )
        mask = mask[:, None, None, :, 0]
        rate = self.rate if self.training else 0.0
        if self.fused:
            mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, dropout_p=rate)
        else:
            scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
            probabilities = scores.masked_fill(~mask, -math.inf).softmax(-1)
            taps[name + ".probabilities"] = probabilities
            mixed = F.dropout(probabilities, rate, self.training) @ v
        return F.dropout(self.o(mixed.transpose(1, 2).flatten(2)), rate, self.training)


class Block(nn.Module):
    """What both transformers share: the summary, the two gates, attention, norms and FFN."""

    def __init__(self, c):
        super().__init__()
        self.c = c
        if not c.no_mfm:
            half = c.width // 2 if c.directions == "concat" else c.width
            self.summary = nn.GRU(c.width, half, batch_first=True, bidirectional=True)
            self.retain = nn.Linear(c.width, c.width, bias=c.gate_bias)
            self.compound = nn.Linear(c.width, c.width, bias=c.gate_bias)
        self.attention = Attention(c, c.heads)
        self.norm1, self.norm2 = nn.LayerNorm(c.width, eps=1e-5), nn.LayerNorm(c.width, eps=1e-5)
        self.ffn = nn.ModuleList([nn.Linear(c.width, c.ffn), nn.Linear(c.ffn, c.width)])

    def gates(self, seq, taps, name):
        """Eqs. (7)–(9) and (16), (19), (20): ĥ [B, d_s]; g_r and g_c, broadcastable over [B, T, d_s]."""
        if self.c.no_mfm:
            return None, 1.0, 1.0
        states, _ = recur(self.summary, seq)
        if self.c.directions == "average":
            states = states.unflatten(-1, (2, -1)).mean(-2)
        steps = seq.lengths[:, None] if self.c.summary_pool == "valid" else states.shape[1]
        summary = states.sum(1) / steps
        seen = summary[:, None] if self.c.gate_scope == "utterance" else states
        retain, compound = self.retain(seen).sigmoid(), self.compound(seen).sigmoid()
        taps[name + ".h"], taps[name + ".g_r"], taps[name + ".g_c"] = summary, retain, compound
        return summary, retain, compound

    def finish(self, seq, attended, retain, compound):
        """Eqs. (11), (12) and (22), (23)."""
        x = self.norm1(compound * attended + retain * seq.x)
        rate, training = self.c.dropout, self.training
        hidden = F.dropout(F.relu(self.ffn[0](x)), rate, training)
        return seq.over(self.norm2(x + F.dropout(self.ffn[1](hidden), rate, training)))


class GateTransformer(Block):
    """Eqs. (7)–(12)."""

    def forward(self, seq, taps, name):
        summary, retain, compound = self.gates(seq, taps, name)
        attended = self.attention(seq.x, seq.x, seq.mask, taps, name + ".attention")
        return self.finish(seq, attended, retain, compound), seq.over(attended), summary


class SAGTransformer(Block):
    """Eqs. (15)–(23)."""

    def __init__(self, c):
        super().__init__(c)
        setattr(self, "self", Attention(c, 1 if c.self_attention == "single" else c.heads))
        if not c.no_mfm:
            self.select = nn.Linear(c.width, c.width, bias=c.gate_bias)

    def forward(self, seq, other, taps, name):
        """seq is X_f, other X_mh,n of the same layer."""
        summary, retain, compound = self.gates(seq, taps, name)
        h = getattr(self, "self")(seq.x, seq.x, seq.mask, taps, name + ".self")
        if self.c.self_attention == "residual":
            h = h + seq.x
        selected = other.x
        if not self.c.no_mfm:
            select = self.select(other.x).sigmoid()
            taps[name + ".g_s"] = select * other.mask
            selected = select * other.x
        attended = self.attention(h, selected, other.mask, taps, name + ".attention")
        return self.finish(seq, attended, retain, compound), summary


class Head(nn.Module):
    """Self-MM's head: F* [B, width] and the prediction [B]."""

    def __init__(self, inputs, width, dropout):
        super().__init__()
        self.rate = dropout
        self.linear1, self.linear2, self.linear3 = nn.Linear(inputs, width), nn.Linear(width, width), nn.Linear(width, 1)

    def forward(self, x):
        feature = F.relu(self.linear1(F.dropout(x, self.rate, self.training)))
        return feature, self.linear3(F.relu(self.linear2(feature)))[:, 0]


class MMILN(nn.Module):
    """The whole model. forward takes {text, audio, vision: Sequence} and returns Output."""

    def __init__(self, c):
        super().__init__()
        self.c = c
        hidden = {"audio": c.audio_hidden, "vision": c.vision_hidden}
        wide = {"audio": c.audio_features, "vision": c.vision_features}
        self.encoder = nn.ModuleDict(
            {n: nn.ModuleDict({"lstm": nn.LSTM(wide[n], hidden[n], batch_first=True)}) for n in AUXILIARY}
        )
        self.conv = nn.ModuleDict(
            {m: nn.Conv1d(d, c.width, c.kernel, padding="same") for m, d in {"text": c.text_features, **hidden}.items()}
        )
        self.layers = nn.ModuleList(self.layer() for _ in range(c.layers))
        fused = 3 if c.no_gate_fusion else 2
        self.heads = nn.ModuleDict({
            "multimodal": Head(fused * c.width, c.head_multimodal, c.head_dropout),
            "audio": Head(c.width, c.head_audio, c.head_dropout),
            "vision": Head(c.width, c.head_vision, c.head_dropout),
        })

    def layer(self):
        parts = {"gate": nn.ModuleDict({n: GateTransformer(self.c) for n in AUXILIARY})}
        if not self.c.no_gate_fusion:
            parts["sag"] = nn.ModuleDict({n: SAGTransformer(self.c) for n in AUXILIARY})
        return nn.ModuleDict(parts)

    def encode(self, name, seq):
        """Eqs. (1)–(4): X_m⁰."""
        last = self.c.memory == "last"
        if name == "text":
            memory = Sequence(seq.x[:, :1], torch.ones_like(seq.lengths)) if last else seq
        else:
            states, h_n = recur(self.encoder[name]["lstm"], seq)
            memory = Sequence(h_n[0][:, None], torch.ones_like(seq.lengths)) if last else seq.over(states)
        convolved = self.conv[name]((memory.x * memory.mask).transpose(1, 2)).transpose(1, 2)
        return memory.over(convolved)

    def forward(self, inputs):
        taps, summaries = {}, []
        x = {name: self.encode(name, seq) for name, seq in inputs.items()}
        pairs = {n: x["text"] for n in AUXILIARY}
        for i, layer in enumerate(self.layers):
            found = {}
            for n in AUXILIARY:
                name = f"layers.{i}.gate.{n}"
                x[n], attended, found[n] = layer["gate"][n](x[n], taps, name)
                if not self.c.no_gate_fusion:
                    pairs[n], found["text_" + n] = layer["sag"][n](pairs[n], attended, taps, f"layers.{i}.sag.{n}")
                    taps[f"layers.{i}.sag.{n}.x"] = pairs[n].x
                taps[name + ".x"] = x[n].x
            summaries.append(found)
        first = self.c.pool == "first"
        texts = [x["text"]] if self.c.no_gate_fusion else [pairs[n] for n in AUXILIARY]
        texts = [seq.x[:, 0] if first else seq.mean() for seq in texts]
        pooled = {n: x[n].mean() for n in AUXILIARY}
        fused = texts + list(pooled.values()) if self.c.no_gate_fusion else texts
        heads = {"multimodal": self.heads["multimodal"](torch.cat(fused, -1))}
        heads |= {n: self.heads[n](pooled[n]) for n in AUXILIARY}
        return Output(heads, taps, summaries)


class SelfMM(nn.Module):
    """Self-MM on text features. forward takes {text, audio, vision: Sequence} and returns Output."""

    def __init__(self, c):
        super().__init__()
        self.c = c
        self.encoder = nn.ModuleDict({
            "audio": self.recurrent(c.audio_features, c.audio_hidden, c.audio_output),
            "vision": self.recurrent(c.vision_features, c.vision_hidden, c.vision_output),
        })
        wide = {"text": c.text_features, "audio": c.audio_output, "vision": c.vision_output}
        widths = {"text": c.head_text, "audio": c.head_audio, "vision": c.head_vision}
        self.heads = nn.ModuleDict({"multimodal": Head(sum(wide.values()), c.head_multimodal, c.head_dropout)})
        self.heads.update({m: Head(wide[m], widths[m], c.head_dropout) for m in wide})

    @staticmethod
    def recurrent(features, hidden, output):
        return nn.ModuleDict({"lstm": nn.LSTM(features, hidden, batch_first=True), "linear": nn.Linear(hidden, output)})

    def encode(self, name, seq):
        if name == "text":
            return seq.x[:, 0] if self.c.text_pool == "first" else seq.mean()
        _, h_n = recur(self.encoder[name]["lstm"], seq)
        return self.encoder[name]["linear"](F.dropout(h_n[0], self.c.dropout, self.training))

    def forward(self, inputs):
        x = {m: self.encode(m, inputs[m]) for m in ("text", "audio", "vision")}
        heads = {"multimodal": self.heads["multimodal"](torch.cat(list(x.values()), -1))}
        heads |= {m: self.heads[m](value) for m, value in x.items()}
        return Output(heads, {f"encoded.{m}": value for m, value in x.items()}, [])


@dataclasses.dataclass
class Output:
    """heads {task: (F*, ŷ)}, taps {name: tensor}, summaries: per layer {audio, vision, text_audio, text_vision: ĥ}."""

    heads: dict
    taps: dict
    summaries: list


def cmd(x, y, orders, span):
    """Eq. (24)."""
    dx, dy = x - x.mean(0), y - y.mean(0)
    total = torch.linalg.vector_norm(x.mean(0) - y.mean(0)) / span
    for j in range(2, orders + 1):
        total = total + torch.linalg.vector_norm((dx ** j).mean(0) - (dy ** j).mean(0)) / span ** j
    return total


def orthogonality(c, x, y):
    """One summand of Eq. (26)."""
    if c.orthogonality == "raw":
        return (x.T @ y).square().sum()
    rows = []
    for z in (x, y):
        z = z - z.mean(0)
        norm = torch.linalg.vector_norm(z, dim=1, keepdim=True)
        rows.append(z / ((norm.detach() if c.detach_norm else norm) + 1e-6))
    return (rows[0].T @ rows[1]).square().sum() / x.shape[1] ** 2


def refusion(c, summaries):
    """Eqs. (25), (26) of every layer: two vectors [layers]; zeros where an ablation leaves nothing to compare."""
    if c.no_mfm or c.no_gate_fusion or not summaries:
        return torch.zeros(len(summaries)), torch.zeros(len(summaries))
    sim = [cmd(h["text_audio"], h["text_vision"], c.orders, c.span) for h in summaries]
    diff = [sum(orthogonality(c, h["text_" + n], h[n]) for n in AUXILIARY) for h in summaries]
    return torch.stack(sim), torch.stack(diff)


def task_loss(c, heads, labels):
    """Eq. (35); labels {multimodal, and one per other head}."""
    truth = labels["multimodal"]
    error = heads["multimodal"][1] - truth
    total = error.square() if c.fusion_loss == "l2" else error.abs()
    for task in list(heads)[1:]:
        total = total + torch.tanh((labels[task] - truth).abs()) * (heads[task][1] - labels[task]).abs()
    return total.mean()


def losses(c, output, labels):
    """Eq. (36): {loss, task, sim, diff, sim_layers, diff_layers}."""
    sims, diffs = refusion(c, output.summaries)
    task = task_loss(c, output.heads, labels)
    sim, diff = (v[-1:].sum() if c.summary_layers == "last" else v.sum() for v in (sims, diffs))
    total = task if c.no_mrm else task + c.alpha * sim + c.beta * diff
    return {"loss": total, "task": task, "sim": sim, "diff": diff, "sim_layers": sims, "diff_layers": diffs}
