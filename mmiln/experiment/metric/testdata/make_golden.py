"""Writes golden.json: MMSA's regression metrics by scikit-learn and NumPy.

    python make_golden.py > golden.json

Made with Python 3, numpy 2.4.6 and scikit-learn 1.9.1; the file records the versions that really ran.
"""
import json
import platform

import numpy as np
import sklearn
from sklearn.metrics import accuracy_score, f1_score


def multiclass(pred, truth, limit):
    return float(np.mean(np.round(np.clip(pred, -limit, limit)) == np.round(np.clip(truth, -limit, limit))))


def scores(pred, truth):
    """MMSA's __eval_mosei_regression; None where NumPy or scikit-learn have no answer."""
    kept = truth != 0
    non0_truth, non0_pred = truth[kept] > 0, pred[kept] > 0
    corr = float(np.corrcoef(pred, truth)[0][1])
    return {
        "has0_acc2": accuracy_score(truth >= 0, pred >= 0),
        "has0_f1": f1_score(truth >= 0, pred >= 0, average="weighted"),
        "non0_acc2": accuracy_score(non0_truth, non0_pred) if kept.any() else None,
        "non0_f1": f1_score(non0_truth, non0_pred, average="weighted") if kept.any() else None,
        "acc3": multiclass(pred, truth, 1.0),
        "acc5": multiclass(pred, truth, 2.0),
        "acc7": multiclass(pred, truth, 3.0),
        "mae": float(np.mean(np.absolute(pred - truth))),
        "corr": None if np.isnan(corr) else corr,
        "n": len(pred),
    }


def mosi_like(rng, n, noise):
    truth = np.round(np.clip(rng.normal(0, 1.6, n), -3, 3) * 5) / 5
    return truth + rng.normal(0, noise, n), truth


def cases():
    rng = np.random.default_rng(20261)
    yield "like MOSI, 686 examples", *mosi_like(rng, 686, 0.9)
    yield "far outside the range", *(np.array(c) * s for c, s in zip(mosi_like(rng, 200, 2), (5, 1)))
    yield "every half, rounded to even", np.arange(-4, 4.25, 0.5), np.roll(np.arange(-4, 4.25, 0.5), 1)
    yield "halves against integers", np.array([0.5, 1.5, 2.5, -0.5, -1.5, -2.5]), np.array([0.0, 2, 2, 0, -2, -2])
    yield "predictions of exactly zero", np.array([0.0, 0, -0.0, 1, -1, 0]), np.array([1.0, -1, 0, 1, -1, 0])
    yield "constant predictions", np.full(7, 0.5), np.array([-2.0, -1, 0, 0, 1, 2, 3])
    yield "constant labels", np.array([-1.0, 0.25, 2]), np.full(3, 1.0)
    yield "one class only, predicted", np.array([0.5, 1, 2.75]), np.array([1.0, 2, 3])
    yield "one class only, missed", np.array([-0.5, -1, -2.75]), np.array([1.0, 2, 3])
    yield "no non-zero label", np.array([-0.5, 0, 1]), np.zeros(3)
    yield "one example", np.array([1.25]), np.array([1.0])
    yield "perfect", np.array([-3.0, -0.5, 0, 2]), np.array([-3.0, -0.5, 0, 2])
    yield "reversed", np.array([3.0, 0.5, 0, -2]), np.array([-3.0, -0.5, 0, 2])


def summary(rng):
    runs = [scores(*mosi_like(rng, 100, noise)) for noise in (0.5, 0.8, 1.1, 1.4, 1.7)]
    keys = runs[0].keys()
    column = {k: np.array([run[k] for run in runs]) for k in keys}
    return {
        "runs": runs,
        "mean": {k: float(column[k].mean()) if k != "n" else 100 for k in keys},
        "std": {k: float(column[k].std(ddof=1)) if k != "n" else 100 for k in keys},
    }


def main():
    np.seterr(all="ignore")
    rows = []
    for name, pred, truth in cases():
        rows.append({"name": name, "pred": pred.tolist(), "truth": truth.tolist(), "scores": scores(pred, truth)})
    labels = np.random.default_rng(7).normal(0, 1.6, 30).astype(np.float32)
    print(json.dumps({
        "versions": {"python": platform.python_version(), "numpy": np.__version__, "scikit-learn": sklearn.__version__},
        "cases": rows,
        "summary": summary(np.random.default_rng(3)),
        "constant": {"labels": labels.tolist(), "median": float(np.median(labels)), "mean": float(np.mean(labels))},
    }, indent=1))


if __name__ == "__main__":
    import warnings

    warnings.filterwarnings("ignore")
    main()
