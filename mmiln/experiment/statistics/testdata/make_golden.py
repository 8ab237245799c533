"""Writes golden.json: resampled scores, intervals, p-values, effect sizes and corrections by NumPy, SciPy, scikit-learn and
statsmodels.

    python make_golden.py > golden.json

Made with numpy 2.4.6, scipy 1.17.1, scikit-learn 1.9.1 and statsmodels 0.15.0; the file records the versions that really ran.
The draws (which examples, which exchanges) are in the file, so that every number follows from the same ones; "exact" comes
from all 2^N exchanges.
"""
import json
import sys
import warnings

import numpy as np
import scipy
import sklearn
import statsmodels
from scipy import stats
from sklearn.metrics import accuracy_score, f1_score
from statsmodels.stats.multitest import multipletests

warnings.filterwarnings("ignore")
METRICS = ["has0_acc2", "has0_f1", "non0_acc2", "non0_f1", "acc3", "acc5", "acc7", "mae", "corr"]


def multiclass(p, t, limit):
    return np.mean(np.round(np.clip(p, -limit, limit)) == np.round(np.clip(t, -limit, limit)))


def score(name, p, t):
    kept = t != 0
    return float({
        "has0_acc2": lambda: accuracy_score(t >= 0, p >= 0),
        "has0_f1": lambda: f1_score(t >= 0, p >= 0, average="weighted"),
        "non0_acc2": lambda: accuracy_score(t[kept] > 0, p[kept] > 0),
        "non0_f1": lambda: f1_score(t[kept] > 0, p[kept] > 0, average="weighted"),
        "acc3": lambda: multiclass(p, t, 1), "acc5": lambda: multiclass(p, t, 2), "acc7": lambda: multiclass(p, t, 3),
        "mae": lambda: np.mean(np.abs(p - t)), "corr": lambda: stats.pearsonr(p, t).statistic,
    }[name]())


def row(name, predictions, t):
    """The mean over seeds."""
    return float(np.mean([score(name, p, t) for p in predictions]))


def p_value(observed, under):
    return float((1 + np.sum(np.abs(under) >= abs(observed) - 1e-12)) / (1 + len(under)))


def exchange(a, b, which):
    """Exchanges the rows' predictions of the examples that which marks, in all seeds."""
    return [np.where(which, q, p) for p, q in zip(a, b)], [np.where(which, p, q) for p, q in zip(a, b)]


def case(rng, n, seeds_a, seeds_b, resamples):
    truth = rng.integers(-15, 16, n) / 5.0
    a = [0.8 * truth + rng.normal(0, 0.8, n) for _ in range(seeds_a)]
    b = [0.5 * truth + 0.2 + rng.normal(0, 1.1, n) for _ in range(seeds_b)]
    rows = rng.integers(0, n, (resamples, n))
    swaps = rng.integers(0, 2, (resamples, n)).astype(bool)
    seeds = np.lcm(seeds_a, seeds_b)
    pairs = [a[i % seeds_a] for i in range(seeds)], [b[i % seeds_b] for i in range(seeds)]
    out = {
        "truth": truth.tolist(), "a": np.array(a).tolist(), "b": np.array(b).tolist(), "rows": rows.tolist(), "swaps": swaps.tolist(),
        "metrics": {},
    }
    errors = [np.mean([np.abs(p - truth) for p in side], axis=0) for side in (a, b)]
    d = errors[0] - errors[1]
    out["d_z"] = float(np.mean(d) / np.std(d, ddof=1))
    for name in METRICS:
        value_a, value_b = row(name, a, truth), row(name, b, truth)
        drawn_a = np.array([row(name, [p[r] for p in a], truth[r]) for r in rows])
        drawn_b = np.array([row(name, [p[r] for p in b], truth[r]) for r in rows])
        delta, difference = value_a - value_b, drawn_a - drawn_b
        exchanged = [exchange(*pairs, s) for s in swaps]
        under = np.array([row(name, x, truth) - row(name, y, truth) for x, y in exchanged])
        out["metrics"][name] = {
            "a": value_a, "b": value_b, "interval_a": np.quantile(drawn_a, [0.025, 0.975]).tolist(),
            "difference": delta, "interval": np.quantile(difference, [0.025, 0.975]).tolist(),
            "p_bootstrap": p_value(delta, difference - delta), "p_permutation": p_value(delta, under),
        }
    return out


def exact(rng, n):
    """scipy's paired permutation test over all exchanges, and its bootstrap, for MAE and Corr of one seed each."""
    truth = rng.integers(-15, 16, n) / 5.0
    a, b = 0.8 * truth + rng.normal(0, 0.8, n), 0.5 * truth + rng.normal(0, 1.1, n)
    out = {"truth": truth.tolist(), "a": [a.tolist()], "b": [b.tolist()], "p": {}, "interval": {}}
    for name in ("mae", "corr"):
        found = stats.permutation_test(
            (a, b), lambda x, y, name=name: score(name, x, truth) - score(name, y, truth),
            permutation_type="samples", n_resamples=np.inf, alternative="two-sided", vectorized=False)
        out["p"][name] = float(found.pvalue)
        low, high = stats.bootstrap(
            (a, truth), lambda x, y, name=name: score(name, x, y), paired=True, vectorized=False, n_resamples=20000, method="percentile",
            rng=np.random.default_rng(1)).confidence_interval
        out["interval"][name] = [float(low), float(high)]
    return out


def main():
    rng = np.random.default_rng(20261125)
    p = rng.uniform(0, 0.2, 12).tolist() + [0.01, 0.01, 1.0, 0.0]
    out = {
        "versions": {"python": sys.version.split()[0], "numpy": np.__version__, "scipy": scipy.__version__, "scikit-learn": sklearn.__version__,
                     "statsmodels": statsmodels.__version__},
        "cases": [case(rng, 25, 1, 1, 120), case(rng, 40, 3, 3, 120), case(rng, 30, 2, 3, 120)],
        "exact": exact(rng, 11),
        "holm": {"p": p, "adjusted": multipletests(p, method="holm")[1].tolist()},
    }
    json.dump(out, sys.stdout)
    print()


main()
