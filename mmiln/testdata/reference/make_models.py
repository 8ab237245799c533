"""Golden values of MMILN, its readings and ablations, and Self-MM.

    python make_models.py        # writes golden/mmiln_*.safetensors and golden/selfmm_*.safetensors

Needs torch 2.9.1, numpy 2.4.6, safetensors 0.8.0. Metadata `config` is the whole Config plus `model`, `base`, `seed` and what torch
itself loses in float32 (`float32_value_error`, `float32_gradient_error`). Weights and inputs are float32; everything else is
computed from them in float64 and rounded once:

    weight.<parameter>                torch's state_dict names
    input.{text,audio,vision}         [B, T, d]; padded steps hold noise, which must change nothing
    length.{text,audio,vision}        [B] int64
    label.multimodal, label.<task>    [B]: y_m and the pseudo-labels
    prediction.<task> [B], feature.<task> [B, width]   ŷ and F*
    loss, loss.task, loss.sim, loss.diff []            Eqs. (36), (35), (25), (26)
    loss.sim_layers, loss.diff_layers [layers]         telemetry of every layer
    grad.<parameter>, grad.input.<m>  gradient of `loss`
    tap.<module>.{h,g_r,g_c,g_s,x,attention.probabilities,self.probabilities}   base files only; zero at padded steps
                                      g_r and g_c [B, 1 or T, d_s]; x is the layer's output

A file with `base` in its config takes inputs, lengths, labels and weights from that file; its own `weight.*` come first (those
whose shape differs or that the base lacks), and weights its model does not have are left out.
"""

import dataclasses
import re
import zlib

import torch

import golden
from model import MMILN, Config, SelfMM, Sequence, losses

BATCH = 4
STEPS = {"text": 6, "audio": 9, "vision": 7}
LENGTHS = {"text": [4, 6, 1, 3], "audio": [9, 2, 5, 1], "vision": [1, 7, 3, 4]}
SMALL = Config(text_features=10, audio_features=5, vision_features=6, audio_hidden=4, vision_hidden=6, audio_output=3,
               vision_output=5, width=8, heads=2, ffn=16, layers=2, head_multimodal=12, head_text=9, head_audio=5, head_vision=7)
SHARP, STRONG, FAINT = 0.8, 0.6, 0.1  # standard deviations
READINGS = {
    "layers1": {"layers": 1}, "layers3": {"layers": 3},
    "no_mrm": {"no_mrm": True}, "no_mfm": {"no_mfm": True}, "no_gate_fusion": {"no_gate_fusion": True},
    "l1": {"fusion_loss": "l1"},
    "r1_last": {"memory": "last"}, "r2_kernel1": {"kernel": 1}, "r3_average": {"directions": "average"},
    "r4_all": {"summary_pool": "all"}, "r5_step": {"gate_scope": "step"}, "r7_no_bias": {"gate_bias": False},
    "r8_single": {"self_attention": "single"}, "r8_residual": {"self_attention": "residual"}, "r9_orders3": {"orders": 3},
    "r10_span1": {"span": 1.0}, "r11_raw": {"orthogonality": "raw"}, "r11_detach": {"detach_norm": True},
    "r12_all": {"summary_layers": "all"}, "r13_first": {"pool": "first"},
    "no_gate_fusion_first": {"no_gate_fusion": True, "pool": "first"},
}


def draw(name, parameter):
    """Every parameter visibly at work: gates away from ½, norms from identity, attention sharp (else X_mh hardly varies over
    time and whatever asks it hardly matters). A name and shape always draw the same."""
    generator = torch.Generator().manual_seed(zlib.crc32(f"{name} {tuple(parameter.shape)}".encode()))
    values = torch.randn(parameter.shape, generator=generator)
    if "norm" in name and name.endswith("weight"):
        return 1 + 0.2 * values
    if re.search(r"\.[qk]\.weight$", name):
        return SHARP * values
    if "bias" in name:
        return FAINT * values
    return (STRONG if re.search(r"^(encoder|conv)|\.[vo]\.weight$", name) else 0.4) * values


def build(kind, config):
    model = kind(config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(draw(name, parameter))
    return model.eval()


def batch(config, tasks, seed):
    """Inputs with noise in their padding, lengths, labels in [−3, 3]."""
    generator = torch.Generator().manual_seed(seed)
    tensors = {}
    for m, steps in STEPS.items():
        width = getattr(config, m + "_features")
        tensors[f"input.{m}"] = torch.randn(BATCH, steps, width, generator=generator)
        tensors[f"length.{m}"] = torch.tensor(LENGTHS[m])
    for task in ("multimodal", *tasks):
        tensors[f"label.{task}"] = 6 * torch.rand(BATCH, generator=generator) - 3
    return tensors


def evaluate(model, given):
    """Everything a golden file records of one forward and backward pass, in the model's dtype."""
    dtype = next(model.parameters()).dtype
    inputs = {m: given[f"input.{m}"].to(dtype).requires_grad_() for m in STEPS}
    labels = {k.split(".")[1]: v.to(dtype) for k, v in given.items() if k.startswith("label.")}
    output = model({m: Sequence(x, given[f"length.{m}"]) for m, x in inputs.items()})
    values = losses(model.c, output, labels)
    found = {("loss" if k == "loss" else f"loss.{k}"): v for k, v in values.items() if v.numel()}
    for task, (feature, prediction) in output.heads.items():
        found |= {f"prediction.{task}": prediction, f"feature.{task}": feature}
    names, parameters = zip(*[(f"input.{m}", x) for m, x in inputs.items()], *model.named_parameters())
    grads = torch.autograd.grad(values["loss"], parameters)
    found |= {f"grad.{name}": grad for name, grad in zip(names, grads)}
    return found, output.taps


def queries(taps, given):
    """Attention probabilities without their padded query rows."""
    for name, tap in taps.items():
        if name.endswith("probabilities"):
            over = "text" if ".sag." in name else name.split(".")[3]
            mask = torch.arange(tap.shape[2]) < given[f"length.{over}"][:, None]
            tap = tap * mask[:, None, :, None]
        yield f"tap.{name}", tap


def rounding(found, exact):
    """The largest float32 error: of values, absolute; of gradients, relative to the tensor's largest element (at least 1e-3)."""
    error = {key: (found[key] - exact[key]).abs().max().item() for key in found}
    grads = {key for key in found if key.startswith("grad.")}
    relative = max(error[key] / max(exact[key].abs().max().item(), 1e-3) for key in grads)
    return {"float32_value_error": max(error[key] for key in found.keys() - grads), "float32_gradient_error": relative}


def case(name, kind, config, given, seed, base=None):
    """Writes one file and returns what it holds. base: name and contents of the file it leans on."""
    model = build(kind, config)
    exact, taps = evaluate(build(kind, config).double(), given)
    error = rounding(evaluate(model, given)[0], exact)
    assert error["float32_value_error"] < 2e-5 and error["float32_gradient_error"] < 5e-4, (name, error)
    found = exact if base else exact | dict(queries(taps, given))
    found = {key: value.float() for key, value in found.items()} | ({} if base else given)
    weights = {f"weight.{key}": value for key, value in model.named_parameters()}
    if base:
        weights = {k: v for k, v in weights.items() if k not in base[1] or not torch.equal(v, base[1][k])}
        assert differs(found, base[1]), f"{name} cannot be told from {base[0]}"
    described = dataclasses.asdict(config) | {"model": kind.__name__, "base": base and base[0], "seed": seed} | error
    golden.save(name, weights | found, described)
    return weights | found


def differs(found, other):
    """Whether a test with tolerances 1e-4 and 1e-3 would see it."""
    return any(k not in other or (found[k] - other[k]).abs().max() > 2e-3 for k in found)


def main():
    torch.set_num_threads(1)
    given = batch(SMALL, ("audio", "vision"), 1)
    base = "mmiln_default", case("mmiln_default", MMILN, SMALL, given, 1)
    for name, change in READINGS.items():
        case("mmiln_" + name, MMILN, dataclasses.replace(SMALL, **change), given, 1, base)
    config = dataclasses.replace(SMALL, fusion_loss="l1")
    given = batch(config, ("text", "audio", "vision"), 2)
    base = "selfmm_default", case("selfmm_default", SelfMM, config, given, 2)
    for name, change in {"mean": {"text_pool": "mean"}, "l2": {"fusion_loss": "l2"}}.items():
        case("selfmm_" + name, SelfMM, dataclasses.replace(config, **change), given, 2, base)


if __name__ == "__main__":
    main()
