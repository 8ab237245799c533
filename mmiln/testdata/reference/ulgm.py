"""ULGM, the generator of unimodal pseudo-labels, in NumPy, float64: Eqs. (29)–(34) as Self-MM implements them.

Readings and what else had to be decided:

    R17 distance   plain    ‖F − C‖₂ (the code);  printed  ‖F − C‖₂² / √d (Eqs. 29, 30)
    R14 guard      0        denominator α_m + 1e-8, as in the code, nothing counted
                   g > 0    α_m where |α_m| ≥ g, else g·sign(α_m) with sign(0) = +1, counted once an example
    Eq. 31         α = (Dⁿ − Dᵖ)/(Dᵖ + 1e-8)
    clip           the mean of the two relations to ±limit, before the momentum; counted once an example and task
    centres        zeros: means over all rows, those not yet seen in training counting as zero vectors (the code's quirk)
                   seen:  means over rows seen so far
    empty class    keeps its last centre, at first zeros (the code has NaN)
    label 0        belongs to neither class; classes follow the current label of the same task
    y_m            never changes, though its features and centres do
    epoch          counts from 1; the first stores features only
"""

import numpy as np

EPSILON = 1e-8
MULTIMODAL = "multimodal"


class ULGM:
    """features {task: [N, d]}, labels {task: [N]}, centres {task: [2, d]} with the positive one first."""

    def __init__(self, truth, widths, distance="plain", guard=1e-3, limit=3.0, centres="zeros"):
        self.distance, self.guard, self.limit, self.seen_only = distance, guard, limit, centres == "seen"
        self.labels = {task: np.array(truth, float) for task in widths}
        self.features = {task: np.zeros((len(truth), d)) for task, d in widths.items()}
        self.centres = {task: np.zeros((2, d)) for task, d in widths.items()}
        self.seen = np.zeros(len(truth), bool)
        self.guarded = 0
        self.clipped = {task: 0 for task in widths if task != MULTIMODAL}

    def step(self, epoch, rows, features):
        """One batch after its backward pass. features {task: [len(rows), d]}; returns α {task: [len(rows)]} or None."""
        alphas = self.relabel(epoch, rows, features) if epoch > 1 else None
        for task, values in features.items():
            self.features[task][rows] = values
        self.seen[rows] = True
        for task in self.features:
            self.recentre(task)
        return alphas

    def relabel(self, epoch, rows, features):
        alphas = {task: self.alpha(task, values) for task, values in features.items()}
        y, alpha = self.labels[MULTIMODAL][rows], alphas[MULTIMODAL]
        denominator = self.denominator(alpha)
        for task in self.clipped:
            ratio = alphas[task] / denominator * y  # Eq. (32)
            offset = y + alphas[task] - alpha  # Eq. (33)
            new = (ratio + offset) / 2  # Eq. (34)
            self.clipped[task] += int((np.abs(new) > self.limit).sum())
            new = np.clip(new, -self.limit, self.limit)
            old = self.labels[task][rows]
            self.labels[task][rows] = (epoch - 1) / (epoch + 1) * old + 2 / (epoch + 1) * new
        return alphas

    def alpha(self, task, features):
        """Eqs. (29)–(31)."""
        positive, negative = (self.far(features - centre) for centre in self.centres[task])
        return (negative - positive) / (positive + EPSILON)

    def far(self, difference):
        squared = (difference ** 2).sum(1)
        return np.sqrt(squared) if self.distance == "plain" else squared / np.sqrt(difference.shape[1])

    def denominator(self, alpha):
        if self.guard == 0:
            return alpha + EPSILON
        small = np.abs(alpha) < self.guard
        self.guarded += int(small.sum())
        return np.where(small, np.where(alpha < 0, -self.guard, self.guard), alpha)

    def recentre(self, task):
        counted = self.seen if self.seen_only else np.ones_like(self.seen)
        for i, members in enumerate((self.labels[task] > 0, self.labels[task] < 0)):
            if (members & counted).any():
                self.centres[task][i] = self.features[task][members & counted].mean(0)
