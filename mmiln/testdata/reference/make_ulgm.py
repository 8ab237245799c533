"""Golden values of ULGM over three epochs of given features.

    python make_ulgm.py        # writes golden/ulgm_*.safetensors

Needs numpy 2.4.6, safetensors 0.8.0, and torch 2.9.1 for the versions in the metadata. Metadata `config`: `tasks` (multimodal
first), `distance`, `guard`, `limit`, `centres`, `epochs`, `batches` (per epoch, the rows of each batch in order). float64
unless said otherwise; every feature and label is a float32:

    truth [N]                     y_m
    features.<task> [E, N, d]     F* of each epoch
    labels.<task> [E, N]          after each epoch (multimodal: y_m throughout)
    alpha.<task> [E, N]           zero where none was computed
    centres.<task> [S, 2, d]      after each batch, S counting through all epochs; positive first
    guarded [E], clipped.<task> [E]   int64, hits within the epoch

Some features are put where α_m is small, from centres known only when their batch comes: a quarter of `guard`, either sign, and
twice it. In `one_sign` no label is negative and one α_m is exactly zero in any order of summation.
"""

import numpy as np

import golden
from ulgm import MULTIMODAL, ULGM

WIDTHS = {MULTIMODAL: 6, "audio": 3, "vision": 4}
EPOCHS, ROWS, BATCH = 3, 12, 4


def coarse(values):
    """Multiples of 1/8, whose means over eight rows no rounding touches."""
    return np.round(values * 8) / 8


def draw(generator, truth, widths):
    """Features that lean on the label, each task in its own way."""
    lean = {task: generator.normal(size=d) for task, d in widths.items()}
    shape = (EPOCHS, ROWS)
    return {task: coarse(0.4 * truth[:, None] * lean[task] + generator.normal(size=(*shape, d))) for task, d in widths.items()}


def order(generator, dropped):
    """Rows of each batch, per epoch; the first epoch leaves out the given number of rows."""
    orders = [generator.permutation(ROWS) for _ in range(EPOCHS)]
    orders[0] = orders[0][:ROWS - dropped]
    return [[rows[i:i + BATCH].tolist() for i in range(0, len(rows), BATCH)] for rows in orders]


def between(centres, alpha):
    """A float32 point near the middle of the two centres with about the α given (plain distance)."""
    positive, negative = centres
    share = (1 + alpha) / (2 + alpha)  # of the way from negative to positive
    return (negative + share * (positive - negative)).astype(np.float32).astype(float)


def case(name, seed, dropped=0, one_sign=False, widths=WIDTHS, **options):
    """Writes one file; options are ULGM's."""
    generator = np.random.default_rng(seed)
    limit = options.get("limit", 3.0)
    truth = np.round(generator.uniform(-limit, limit, ROWS) * 5) / 5
    truth[0] = 0
    if one_sign:
        truth = np.where(np.arange(ROWS) < 8, np.abs(truth) + 0.2, 0)
    truth = truth.astype(np.float32).astype(float)
    features, batches = draw(generator, truth, widths), order(generator, dropped)
    ulgm = ULGM(truth, widths, **options)
    record = play(ulgm, features, batches, [0.0] if one_sign else near(ulgm), one_sign)
    config = {"tasks": list(widths), "distance": ulgm.distance, "guard": ulgm.guard, "limit": ulgm.limit, "epochs": EPOCHS,
              "centres": "seen" if ulgm.seen_only else "zeros", "batches": batches, "seed": seed}
    features = {f"features.{task}": values for task, values in features.items()}
    golden.save("ulgm_" + name, {"truth": truth} | features | record, config)
    summary = {key: record[key].tolist() for key in record if key.startswith(("guarded", "clipped"))}
    print(name, summary, "least |α_m|", np.sort(np.abs(record[f"alpha.{MULTIMODAL}"][1]))[:4])


def near(ulgm):
    """The α_m to place: inside the guard on either side, and just outside."""
    guard = ulgm.guard or 1e-3
    return [guard / 4, -guard / 4, 2 * guard]


def place(ulgm, rows, features, alphas, one_sign):
    """Moves the batch's rows with a non-zero label, one for each α still wanted, at most two a batch."""
    for row in [row for row in rows if ulgm.labels[MULTIMODAL][row] != 0][:2]:
        if alphas:
            alpha = alphas.pop(0)
            positive, negative = ulgm.centres[MULTIMODAL]
            assert not one_sign or not negative.any()
            features[row] = positive / 2 if one_sign else between((positive, negative), alpha)


def play(ulgm, features, batches, alphas, one_sign):
    """Runs all epochs; returns the tensors of the file."""
    tasks = list(features)
    record = {f"labels.{task}": np.zeros((EPOCHS, ROWS)) for task in tasks}
    record |= {f"alpha.{task}": np.zeros((EPOCHS, ROWS)) for task in tasks}
    record |= {f"clipped.{task}": np.zeros(EPOCHS, np.int64) for task in tasks[1:]} | {"guarded": np.zeros(EPOCHS, np.int64)}
    centres = {task: [] for task in tasks}
    for epoch in range(EPOCHS):
        guarded, clipped = ulgm.guarded, dict(ulgm.clipped)
        for rows in batches[epoch]:
            if epoch == 1:
                place(ulgm, rows, features[MULTIMODAL][epoch], alphas, one_sign)
            found = ulgm.step(epoch + 1, np.array(rows), {task: features[task][epoch, rows] for task in tasks})
            for task in tasks:
                centres[task].append(ulgm.centres[task].copy())
                if found:
                    record[f"alpha.{task}"][epoch, rows] = found[task]
        record["guarded"][epoch] = ulgm.guarded - guarded
        for task in tasks:
            record[f"labels.{task}"][epoch] = ulgm.labels[task]
            if task in clipped:
                record[f"clipped.{task}"][epoch] = ulgm.clipped[task] - clipped[task]
    assert not alphas, "an α was left without a row"
    return record | {f"centres.{task}": np.stack(values) for task, values in centres.items()}


if __name__ == "__main__":
    case("default", 1)
    case("printed", 1, distance="printed")
    case("unguarded", 1, guard=0.0)
    case("one_sign", 2, one_sign=True)
    case("partial_zeros", 3, dropped=3)
    case("partial_seen", 3, dropped=3, centres="seen")
    case("selfmm", 4, widths={MULTIMODAL: 6, "text": 5, "audio": 3, "vision": 4}, limit=1.0, guard=0.0)
