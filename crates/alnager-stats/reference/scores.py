#!/usr/bin/env python3
"""Writes scores.json: small made-up samples of scores and the figures that SciPy, or exact fractions, give for them.

Needs numpy and SciPy (written with 2.4.6 and 1.17.1). A group is its scores with label 0 and with label 1, as pairs of score
and count; the first group is compared with the second, Kruskal-Wallis takes all. Counts are expanded to one score per
person, and AUC, DeLong's variance and the area between ROC curves follow their definitions in fractions.
"""
import json
import math
import pathlib
import random
from fractions import Fraction

import numpy as np
from scipy import stats

Z = stats.norm.ppf(0.975)


def made(seed, n_values, count_max, value):
    """A group whose positives score higher, `value` turning a number in 0..1 into a score."""
    draw = random.Random(seed)
    shares = sorted({round(draw.random(), 3) for _ in range(n_values)})
    return {
        "negative": [[value(s), draw.randint(0, max(1, round(count_max * (1 - s))))] for s in shares],
        "positive": [[value(s), draw.randint(0, max(1, round(count_max * s)))] for s in shares],
    }


def one_per_value(seed, n, value):
    draw = random.Random(seed)
    scores = sorted(round(draw.betavariate(2, 3), 6) for _ in range(n))
    split = [(s, draw.random() < s) for s in scores]
    return {
        "negative": [[value(s), 1] for s, label in split if not label],
        "positive": [[value(s), 1] for s, label in split if label],
    }


CASES = {
    "probabilities with ties": [made(1, 12, 9, float), made(2, 15, 30, float), made(3, 10, 14, float)],
    "each score once": [one_per_value(4, 40, lambda s: round(s * 0.9, 6)), one_per_value(5, 70, float)],
    "whole scores 1 to 10": [
        made(6, 40, 12, lambda s: 1 + int(s * 10)), made(7, 40, 40, lambda s: 1 + int(s * s * 10)),
        made(8, 40, 5, lambda s: 1 + int(s * 10)), made(9, 40, 5, lambda s: 1 + int(s * 10)),
    ],
    "far from zero, below and above": [
        made(10, 20, 6, lambda s: 1000 + s), made(11, 25, 9, lambda s: 1000 + 0.9 * s), made(12, 5, 9, lambda s: -5 * s),
    ],
    "half a million people": [
        made(13, 150, 4000, float), made(14, 150, 3000, lambda s: round(s ** 1.01, 6)),
    ],
    "half a million people, far apart": [
        made(15, 150, 4000, lambda s: round(s ** 0.8, 6)), made(16, 150, 3000, float),
    ],
    "the edges of the bins": [
        {"negative": [[0.0, 3], [0.1, 2], [0.3, 1], [0.7, 1], [1.0, 1]], "positive": [[0.0, 1], [0.2, 1], [0.6, 2], [1.0, 4]]},
        {"negative": [[0.0, 5], [0.3, 2], [0.7, 2]], "positive": [[0.3, 1], [0.7, 3], [0.9, 2], [1.0, 5]]},
    ],
    "nobody overlaps": [
        {"negative": [[0.1, 2]], "positive": [[0.2, 3]]}, {"negative": [[0.5, 4]], "positive": [[0.6, 5], [0.7, 2]]},
    ],
    "one person of a class": [
        {"negative": [[0.4, 1]], "positive": [[0.3, 2], [0.4, 2], [0.8, 1]]},
        {"negative": [[0.2, 4], [0.4, 1]], "positive": [[0.4, 3], [0.6, 3]]},
    ],
    "a class without people": [
        {"negative": [], "positive": [[0.3, 2], [0.8, 2]]}, {"negative": [[0.2, 4], [0.4, 1]], "positive": [[0.4, 3], [0.6, 3]]},
    ],
    "one person": [
        {"negative": [[0.3, 1]], "positive": []}, {"negative": [[0.2, 4], [0.4, 1]], "positive": [[0.4, 3], [0.6, 3]]},
    ],
    "a group without people": [
        {"negative": [], "positive": []}, {"negative": [[0.2, 4], [0.4, 1]], "positive": [[0.4, 3], [0.6, 3]]},
    ],
    "all scores alike": [
        {"negative": [[0.5, 3]], "positive": [[0.5, 3]]}, {"negative": [[0.5, 7]], "positive": [[0.5, 2]]},
    ],
}


def expand(pairs):
    return np.repeat([float(value) for value, _ in pairs], [count for _, count in pairs])


def total(pairs):
    return sum(count for _, count in pairs)


def roc(group):
    """The points (FPR, TPR), as fractions, from the highest score down."""
    n, m = total(group["negative"]), total(group["positive"])
    points, fp, tp = [(Fraction(0), Fraction(0))], 0, 0
    for value in sorted({float(v) for v, _ in group["negative"] + group["positive"]}, reverse=True):
        fp += sum(count for v, count in group["negative"] if float(v) == value)
        tp += sum(count for v, count in group["positive"] if float(v) == value)
        points.append((Fraction(fp, n), Fraction(tp, m)))
    return points


def height(points, x, side):
    """The TPR at FPR `x`: on the left (-1) or the right (1) of an upright piece."""
    on = [y for u, y in points if u == x]
    if on:
        return on[0] if side < 0 else on[-1]
    (u, v), (x1, y1) = max(p for p in points if p[0] < x), min(p for p in points if p[0] > x)
    return v + (y1 - v) * (x - u) / (x1 - u)


def abroca(group, reference):
    a, b = roc(group), roc(reference)
    steps = sorted({x for x, _ in a + b})
    area = Fraction(0)
    for left, right in zip(steps, steps[1:]):
        d0, d1 = height(a, left, 1) - height(b, left, 1), height(a, right, -1) - height(b, right, -1)
        both = abs(d0) + abs(d1)
        if d0 * d1 < 0:
            area += (right - left) * (d0 * d0 + d1 * d1) / (2 * both)
        else:
            area += (right - left) * both / 2
    return float(area)


def auc(group):
    """AUC and DeLong's standard error."""
    n, m = total(group["negative"]), total(group["positive"])
    if n == 0 or m == 0:
        return None, None
    beats = lambda p, q: Fraction(1) if p > q else Fraction(1, 2) if p == q else Fraction(0)
    above = [(sum(c * beats(p, q) for q, c in group["negative"]) / n, count) for p, count in group["positive"]]
    below = [(sum(c * beats(p, q) for p, c in group["positive"]) / m, count) for q, count in group["negative"]]
    area = sum(v * count for v, count in above) / m
    if n < 2 or m < 2:
        return float(area), None
    variance = (sum(c * (v - area) ** 2 for v, c in above) / (m - 1) / m
                + sum(c * (v - area) ** 2 for v, c in below) / (n - 1) / n)
    return float(area), math.sqrt(variance)


def group_figures(group):
    negative, positive = expand(group["negative"]), expand(group["positive"])
    scores = np.concatenate([negative, positive])
    y = np.concatenate([np.zeros(len(negative)), np.ones(len(positive))])
    area, se = auc(group)
    figures = {
        "n": len(scores),
        "mean": np.mean(scores) if len(scores) else None,
        "sd": np.std(scores, ddof=1) if len(scores) > 1 else None,
        "median": np.median(scores) if len(scores) else None,
        "quantile_0.15": np.quantile(scores, 0.15) if len(scores) else None,
        "mean_positive": np.mean(positive) if len(positive) else None,
        "mean_negative": np.mean(negative) if len(negative) else None,
        "auc": area, "auc_se": se,
        "auc_low": None if se is None else area - Z * se,
        "auc_high": None if se is None else area + Z * se,
    }
    names = ["brier", "log_loss", "calibration_in_the_large", "ece10", "ece7"]
    if len(scores) == 0 or scores.min() < 0 or scores.max() > 1:
        return figures | dict.fromkeys(names)
    cut = np.clip(scores, 1e-15, 1 - 1e-15)

    def ece(bins):
        bin_of = np.minimum(np.floor(bins * scores), bins - 1)
        parts = [(bin_of == b) for b in range(bins)]
        return sum(p.sum() / len(scores) * abs(y[p].mean() - scores[p].mean()) for p in parts if p.any())

    values = [np.mean((scores - y) ** 2), -np.mean(y * np.log(cut) + (1 - y) * np.log1p(-cut)),
              np.mean(y) - np.mean(scores), ece(10), ece(7)]
    return figures | dict(zip(names, values))


def psi(reference, group, bins):
    ends = np.unique(np.quantile(reference, np.linspace(0, 1, bins + 1)))
    if len(ends) < 3:
        return None
    ends[0], ends[-1] = -np.inf, np.inf
    a, b = (np.maximum(np.histogram(x, ends)[0] / len(x), 1e-4) for x in (reference, group))
    return np.sum((b - a) * np.log(b / a))


def pair_figures(first, second):
    both = [np.concatenate([expand(g["negative"]), expand(g["positive"])]) for g in (first, second)]
    g, r = both
    if len(g) == 0:
        names = ["mean_difference", "smd_total", "smd_pooled", "ks", "ks_p", "wasserstein", "psi10", "psi5",
                 "share_above_median_ratio", "welch_t", "welch_df", "welch_p", "mannwhitney_u", "mannwhitney_log10_p", "abroca",
                 "balance_positive", "balance_negative", "auc_difference_z", "auc_difference_p"]
        return dict.fromkeys(names)
    alike = len(set(g) | set(r)) == 1
    within = np.sum((g - g.mean()) ** 2) + np.sum((r - r.mean()) ** 2)
    difference = g.mean() - r.mean()
    ks = stats.ks_2samp(g, r, method="asymp")
    # Complete separation: SciPy's asymptotic p is 0 there; this is the exact one.
    ks_p = 2 / math.comb(len(g) + len(r), len(g)) if ks.statistic == 1 else ks.pvalue
    known = np.concatenate(both)
    above = [np.mean(x > np.median(known)) for x in both]
    welch = None if alike or min(map(len, both)) < 2 else stats.ttest_ind(g, r, equal_var=False)
    u = stats.mannwhitneyu(g, r, method="asymptotic").statistic
    ties = np.unique(known, return_counts=True)[1].astype(object)
    n = len(known)
    sigma2 = Fraction(len(g) * len(r), 12 * n * (n - 1)) * (n ** 3 - n - sum(t ** 3 - t for t in ties))
    z = None if alike else max(0, (abs(u - len(g) * len(r) / 2) - 0.5) / math.sqrt(sigma2))
    if z is not None and z < 30:
        p = stats.mannwhitneyu(g, r, method="asymptotic").pvalue
        assert math.isclose(2 * stats.norm.sf(z), p, rel_tol=1e-10)
    (auc_g, se_g), (auc_r, se_r) = auc(first), auc(second)
    auc_z = None if not se_g or not se_r else (auc_g - auc_r) / math.hypot(se_g, se_r)
    balance = lambda key: (expand(first[key]).mean() - expand(second[key]).mean()) if first[key] and second[key] else None
    return {
        "mean_difference": difference,
        "smd_total": None if alike else difference / np.std(known, ddof=1),
        "smd_pooled": None if within == 0 else difference / math.sqrt(within / (n - 2)),
        "ks": ks.statistic, "ks_p": ks_p,
        "wasserstein": stats.wasserstein_distance(g, r),
        "psi10": psi(r, g, 10), "psi5": psi(r, g, 5),
        "share_above_median_ratio": above[0] / above[1] if above[1] else None,
        "welch_t": welch.statistic if welch else None, "welch_df": welch.df if welch else None,
        "welch_p": welch.pvalue if welch else None,
        "mannwhitney_u": u,
        "mannwhitney_log10_p": None if z is None else (math.log(2) + stats.norm.logsf(z)) / math.log(10),
        "abroca": None if auc_g is None or auc_r is None else abroca(first, second),
        "balance_positive": balance("positive"), "balance_negative": balance("negative"),
        "auc_difference_z": auc_z, "auc_difference_p": None if auc_z is None else 2 * stats.norm.sf(abs(auc_z)),
    }


def kruskal(groups):
    """SciPy refuses samples without people; it gets the others."""
    samples = [np.concatenate([expand(g["negative"]), expand(g["positive"])]) for g in groups]
    samples = [s for s in samples if len(s)]
    if len(samples) < 2 or len(set(np.concatenate(samples))) == 1:
        return {"kruskal_h": None, "kruskal_p": None}
    test = stats.kruskal(*samples)
    return {"kruskal_h": test.statistic, "kruskal_p": test.pvalue}


def plain(value):
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (float, np.floating)):
        return float(f"{value:.15g}") + 0.0
    return int(value) if isinstance(value, np.integer) else value


rows = []
for name, groups in CASES.items():
    for group in groups:
        for label in group:
            merged = {}
            for value, count in group[label]:
                merged[value] = merged.get(value, 0) + count
            group[label] = [[value, count] for value, count in merged.items() if count]
    figures = {"group": group_figures(groups[0]), "reference": group_figures(groups[1]),
               "pair": pair_figures(*groups[:2]), "all": kruskal(groups)}
    for part in figures.values():
        for key in [key for key, value in part.items() if key.endswith("_p") and value == 0]:
            del part[key]  # underflow
    rows.append(json.dumps({"case": name, "groups": groups, "figures": plain(figures)}, separators=(",", ":")))
text = "[\n" + ",\n".join(rows) + "\n]\n"
(pathlib.Path(__file__).parent / "scores.json").write_text(text, encoding="utf-8")
