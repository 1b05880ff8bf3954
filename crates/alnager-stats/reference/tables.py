#!/usr/bin/env python3
"""Writes tables.json: tables, strata, benefits, classes, lists, numbers, weights and proxies, in 50-digit arithmetic.

Needs mpmath (written with 1.4.1). Works from the definitions, by plain sums; Breslow and Day's expected cell by bisection.
The counts are the admissions to Berkeley in 1973 (Bickel, Hammel and O'Connell 1975, Science 187, 398-404), groups of
the other tables beside this file, and small or extreme ones made up for the purpose.
"""
import json
import pathlib
from fractions import Fraction

from mpmath import asin, exp, gammainc, inf, log, mp, mpf, sqrt

mp.dps = 50
Z = sqrt(2) * mp.erfinv(mpf("0.95"))


def test(statistic, df):
    """The statistic and its upper tail; a tail below 1e-3 also as a decimal logarithm."""
    p = gammainc(mpf(df) / 2, statistic / 2, inf, regularized=True)
    figures = {"statistic": statistic, "df": df}
    if p > mpf(10) ** -300:
        figures["p"] = p
    if p < mpf("0.001"):
        figures["log10_p"] = log(p, 10)
    return figures


def optional(condition, make):
    return make() if condition else None


# --- one 2x2 table ------------------------------------------------------------------------------------------------

def shares(a, b, c, d):
    n1, n2, m1, m2 = a + b, c + d, a + c, b + d
    full = 0 not in (n1, n2)
    return {
        "table": [[a, b], [c, d]],
        "or_haldane": optional(full, lambda: mpf(2 * a + 1) * (2 * d + 1) / ((2 * b + 1) * (2 * c + 1))),
        "phi": optional(full and m1 and m2, lambda: (a * d - b * c) / sqrt(mpf(n1) * n2 * m1 * m2)),
        "cohens_h": optional(full, lambda: 2 * asin(sqrt(mpf(a) / n1)) - 2 * asin(sqrt(mpf(c) / n2))),
        "expected_selected": optional(full, lambda: mpf(n1) * m1 / (n1 + n2)),
    }


# --- a table of any size ------------------------------------------------------------------------------------------

def contingency(rows):
    width = len(rows[0])
    kept = [j for j in range(width) if any(row[j] for row in rows)]
    cells = [[row[j] for j in kept] for row in rows if any(row)]
    n = sum(map(sum, cells))
    row_totals = list(map(sum, cells))
    column_totals = [sum(row[j] for row in cells) for j in range(len(kept))]
    expected = [[mpf(r) * c / n for c in column_totals] for r in row_totals]
    pairs = [(o, e) for row, means in zip(cells, expected) for o, e in zip(row, means)]
    df = max(len(row_totals) - 1, 0) * max(len(column_totals) - 1, 0)
    chi2 = sum((o - e) ** 2 / e for o, e in pairs)
    g = 2 * sum(o * log(o / e) for o, e in pairs if o)
    return {
        "rows": rows,
        "chi2": optional(df, lambda: test(chi2, df)),
        "g_test": optional(df, lambda: test(g, df)),
        "cramers_v": optional(df, lambda: sqrt(chi2 / (n * (min(len(row_totals), len(column_totals)) - 1)))),
        "min_expected_count": optional(n, lambda: min(e for _, e in pairs)),
        "mutual_information_nats": optional(n, lambda: g / (2 * n)),
    }


def categories(rows, reference):
    share = lambda k, n: optional(n, lambda: mpf(k) / n)
    ratio = lambda x, y: optional(x is not None and y, lambda: x / y)
    plain = [[share(k, sum(row)) for k in row] for row in rows]
    sums = [[share(sum(row[:j + 1]), sum(row)) for j in range(len(row))] for row in rows]
    against = lambda table: [[ratio(x, y) for x, y in zip(row, table[reference])] for row in table]
    by_class = [[row[j] for row in plain if row[j] is not None] for j in range(len(rows[0]))]
    return {
        "rows": rows, "reference": reference, "share": plain, "cumulative_share": sums,
        "ratio_vs_reference": against(plain), "cumulative_ratio_vs_reference": against(sums),
        "statistical_parity_max_per_class": [optional(column, lambda: max(column) - min(column)) for column in by_class],
    }


# --- strata -------------------------------------------------------------------------------------------------------

def expected_cell(n1, n2, m1, odds):
    low, high = mpf(max(0, m1 - n2)), mpf(min(n1, m1))
    for _ in range(180):
        x = (low + high) / 2
        if x * (n2 - m1 + x) < odds * (n1 - x) * (m1 - x):
            low = x
        else:
            high = x
    return (low + high) / 2


def strata(name, tables):
    kept = [(a, b, c, d) for (a, b), (c, d) in tables if all((a + b, c + d, a + c, b + d))]
    total = lambda term: sum((mpf(0) + term(*cells, sum(cells)) for cells in kept), mpf(0))
    R, S = total(lambda a, b, c, d, n: mpf(a * d) / n), total(lambda a, b, c, d, n: mpf(b * c) / n)
    rr1 = total(lambda a, b, c, d, n: mpf(a * (c + d)) / n)
    rr2 = total(lambda a, b, c, d, n: mpf(c * (a + b)) / n)
    odds = R / S if S else None
    risk = rr1 / rr2 if rr2 else None
    interval = lambda centre, v: [centre * exp(-Z * sqrt(v)), centre * exp(Z * sqrt(v))]

    def rbg():
        v = (total(lambda a, b, c, d, n: mpf((a + d) * a * d) / n ** 2) / (2 * R * R)
             + total(lambda a, b, c, d, n: mpf((a + d) * b * c + (b + c) * a * d) / n ** 2) / (2 * R * S)
             + total(lambda a, b, c, d, n: mpf((b + c) * b * c) / n ** 2) / (2 * S * S))
        return interval(odds, v)

    def robins():
        v = total(lambda a, b, c, d, n: mpf((a + c) * (a + b) * (c + d) - a * c * n) / n ** 2) / (rr1 * rr2)
        return interval(risk, v)

    delta = abs(total(lambda a, b, c, d, n: a - mpf((a + b) * (a + c)) / n))
    variance = total(lambda a, b, c, d, n: mpf((a + b) * (c + d) * (a + c) * (b + d)) / (mpf(n) ** 2 * (n - 1)))

    def breslow(tarone):
        off, weight = [], []
        for a, b, c, d in kept:
            n1, n2, m1 = a + b, c + d, a + c
            x = expected_cell(n1, n2, m1, odds)
            off.append(a - x)
            weight.append(1 / x + 1 / (n1 - x) + 1 / (m1 - x) + 1 / (n2 - m1 + x))
        statistic = sum(o * o * w for o, w in zip(off, weight))
        if tarone:
            statistic -= sum(off) ** 2 / sum(1 / w for w in weight)
        return test(statistic, len(kept) - 1)

    parts = [(a + b + c + d, mpf(b) / (b + d) - mpf(a) / (a + c))
             for (a, b), (c, d) in tables if a + c and b + d]
    many = odds and len(kept) > 1
    return {
        "name": name, "tables": tables, "n_strata": len(kept), "n_dropped": len(tables) - len(kept),
        "mh_odds_ratio": odds,
        "mh_or_ci_rbg": optional(odds, rbg),
        "mh_risk_ratio": risk,
        "mh_rr_ci_greenland_robins": optional(risk, robins),
        "cmh_chi2": optional(kept, lambda: test(delta ** 2 / variance, 1)),
        "cmh_chi2_cc": optional(kept, lambda: test(max(delta - mpf(1) / 2, 0) ** 2 / variance, 1)),
        "breslow_day": optional(many, lambda: breslow(False)),
        "breslow_day_tarone": optional(many, lambda: breslow(True)),
        "conditional_demographic_disparity":
            optional(parts, lambda: sum(n * dd for n, dd in parts) / sum(n for n, _ in parts)),
    }


# --- benefits -----------------------------------------------------------------------------------------------------

def entropy(values, alpha):
    """values: (how many, benefit of each)."""
    n = sum(k for k, _ in values)
    mean = sum(k * b for k, b in values) / mpf(n)
    if not mean or (alpha <= 0 and any(k and not b for k, b in values)):
        return None
    x = [(k, b / mean) for k, b in values if k]
    if alpha == 1:
        return sum(k * y * log(y) for k, y in x if y) / n
    if alpha == 0:
        return -sum(k * log(y) for k, y in x) / n
    alpha = mpf(alpha)
    return (sum(k * y ** alpha for k, y in x if y) / n - 1) / (alpha * (alpha - 1))


def benefits(groups):
    people = [(sum(g[3] for g in groups), mpf(0)), (sum(g[0] + g[2] for g in groups), mpf(1)),
              (sum(g[1] for g in groups), mpf(2))]
    means = [(sum(g), mpf(g[0] + g[2] + 2 * g[1]) / sum(g)) for g in groups if sum(g)]
    root = lambda x: optional(x is not None, lambda: sqrt(2 * x))
    figures = {"groups": groups}
    for prefix, values in [("", people), ("between_group_", means)]:
        figures[prefix + "theil_index"] = entropy(values, 1)
        figures[prefix + "generalized_entropy_2"] = entropy(values, 2)
        figures[prefix + "coefficient_of_variation"] = root(entropy(values, 2))
        for alpha in [-1.0, 0.0, 0.5, 0.999999999, 3.0, 200.0]:
            figures[f"{prefix}generalized_entropy {alpha}"] = entropy(values, alpha)
    return figures


# --- lists --------------------------------------------------------------------------------------------------------

def ranking(groups, n_groups, tops):
    n = len(groups)
    members = [groups.count(g) for g in range(n_groups)]
    exposure = [1 / log(mpf(rank + 1), 2) for rank in range(1, n + 1)]
    mean = [optional(m, lambda: sum(e for e, h in zip(exposure, groups) if h == g) / m) for g, m in enumerate(members)]
    ndkl = mpf(0)
    for i in range(1, n + 1):
        counts = [groups[:i].count(g) for g in range(n_groups)]
        ndkl += exposure[i - 1] * sum(mpf(k) / i * log(mpf(k) * n / (i * m)) for k, m in zip(counts, members) if k)
    figures = {"groups": groups, "n_groups": n_groups, "ndkl": ndkl / sum(exposure), "mean_exposure": mean,
               "exposure_ratio_vs_max": [e and e / max(x for x in mean if x) for e in mean], "top": {}}
    for k in tops:
        counts = [groups[:k].count(g) for g in range(n_groups)]
        rate = [optional(m, lambda: mpf(c) / m) for c, m in zip(counts, members)]
        skew = [optional(c, lambda: log(mpf(c) * n / (k * m))) for c, m in zip(counts, members)]
        absent = [g for g in range(n_groups) if members[g] and not counts[g]]
        defined = [s for s in skew if s is not None]
        figures["top"][str(k)] = {
            "topk_share": [mpf(c) / k for c in counts],
            "impact_ratio_topk": [optional(r is not None, lambda: r / max(x for x in rate if x is not None)) for r in rate],
            "skew": skew, "min_skew": None if absent else min(defined), "max_skew": max(defined), "absent": absent,
        }
    return figures


# --- numbers ------------------------------------------------------------------------------------------------------

def mean(values):
    return optional(values, lambda: sum(values) / mpf(len(values)))


def deviation_squares(values):
    return sum((v - mean(values)) ** 2 for v in values) if values else mpf(0)


def pearson(x, y):
    if not deviation_squares(x) or not deviation_squares(y):
        return None
    product = sum((a - mean(x)) * (b - mean(y)) for a, b in zip(x, y))
    return product / sqrt(deviation_squares(x) * deviation_squares(y))


def mid_ranks(values):
    return [mpf(sum(w < v for w in values)) + mpf(sum(w == v for w in values) + 1) / 2 for v in values]


def fit(rows):
    predicted, actual = [mpf(p) for p, _ in rows], [mpf(t) for _, t in rows]
    off = [p - t for p, t in zip(predicted, actual)]
    squares = deviation_squares(actual)
    return {
        "n": len(rows), "mean_pred": mean(predicted), "mean_true": mean(actual),
        "mae": mean([abs(o) for o in off]),
        "rmse": optional(rows, lambda: sqrt(mean([o * o for o in off]))),
        "bias": mean(off),
        "r2": optional(squares, lambda: 1 - sum(o * o for o in off) / squares),
        "pearson": pearson(predicted, actual),
        "spearman": pearson(mid_ranks(predicted), mid_ranks(actual)),
    }


def numbers(group, reference, others):
    g, r, rows = fit(group), fit(reference), group + reference + others
    minus = lambda key: optional(None not in (g[key], r[key]), lambda: g[key] - r[key])
    over = lambda x, y: optional(x is not None and y, lambda: x / y)
    sd = lambda values: sqrt(deviation_squares(values) / (len(values) - 1))
    return {
        "rows": [group, reference, others], "group": g, "reference": r,
        "versus": {
            "mean_pred_difference": minus("mean_pred"), "mean_pred_ratio": over(g["mean_pred"], r["mean_pred"]),
            "mae_ratio": over(g["mae"], r["mae"]), "rmse_ratio": over(g["rmse"], r["rmse"]),
            "bias_difference": minus("bias"),
            "residual_smd_total": over(minus("bias"), sd([mpf(p) - mpf(t) for p, t in rows])),
            "score_smd_total": over(minus("mean_pred"), sd([mpf(p) for p, _ in rows])),
            "correlation_difference": minus("pearson"),
        },
    }


# --- weights and proxies ------------------------------------------------------------------------------------------

def weights(rows):
    n, columns = sum(map(sum, rows)), [sum(row[j] for row in rows) for j in range(len(rows[0]))]
    exact = [[optional(k, lambda: Fraction(sum(row) * column, n * k)) for k, column in zip(row, columns)] for row in rows]
    fraction = lambda w: w and [w.numerator, w.denominator]
    return {"rows": rows, "weights": [[fraction(w) for w in row] for row in exact]}


def proxies(people):
    """people: (given name, here given category, selected)."""
    posteriors = []
    for name, here, _ in people:
        products = [mpf(a) * mpf(b) for a, b in zip(name, here)]
        posteriors.append(optional(sum(products), lambda: [p / sum(products) for p in products]))
    expected = [sum((p[r] for p in posteriors if p), mpf(0)) for r in range(6)]
    selected = [sum((p[r] for p, person in zip(posteriors, people) if p and person[2]), mpf(0)) for r in range(6)]
    return {"people": people, "posteriors": posteriors, "n_expected": expected,
            "n_unknown": posteriors.count(None),
            "rates": [optional(e, lambda: s / e) for s, e in zip(selected, expected)]}


# --- what is written ----------------------------------------------------------------------------------------------

BERKELEY = [[[89, 19], [512, 313]], [[17, 8], [353, 207]], [[202, 391], [120, 205]],
            [[131, 244], [138, 279]], [[94, 299], [53, 138]], [[24, 317], [22, 351]]]
SCORE_TEXT = [[1522, 1149, 1025], [24, 5, 3], [1600, 578, 276], [447, 123, 67], [6, 6, 6], [298, 53, 26]]
COMPAS = [[1369, 805, 990, 532], [6, 2, 21, 3], [505, 349, 1139, 461], [103, 87, 318, 129], [9, 3, 5, 1]]
LIST = [0, 0, 1, 0, 2, 0, 0, 1, 0, 2, 1, 0, 1, 1, 2, 0, 2, 1, 2, 2, 1, 0, 0, 2, 1, 1, 2, 0, 2, 0]
A = [[1.5, 2.0], [2.5, 1.75], [0.25, 0.5], [3.0, 4.5], [2.5, 2.25]]
B = [[10.0, 9.0], [12.5, 14.0], [11.0, 11.0], [9.75, 10.5], [12.5, 13.0], [8.0, 6.5], [10.0, 12.0]]
FAR = [[p + 1e8, t + 1e8] for p, t in B]
NAMES = [
    [[0.0566, 0.8585, 0.00945, 0.00945, 0.0, 0.066], [5e-4, 8e-6, 9e-6, 3e-5, 5e-6, 3e-5], True],
    [[0.0147, 0.6707, 0.2741, 0.0073, 0.0111, 0.022], [1e-6, 3e-6, 2e-5, 1e-7, 0.0, 4e-6], False],
    [[0.0, 0.0, 0.0, 1.0, 0.0, 0.0], [1e-6, 3e-6, 2e-5, 0.0, 0.0, 4e-6], True],
    [[0.9, 0.05, 0.01, 0.02, 0.01, 0.01], [3e-7, 1e-6, 2e-7, 2e-8, 0.0, 5e-7], True],
]

CONTENT = {
    "shares": [shares(*cells) for cells in [
        (557, 1278, 1198, 1493), (48, 32, 60, 20), (0, 12, 5, 7), (5, 0, 3, 4), (0, 3, 0, 4), (2, 0, 5, 0), (0, 9, 4, 0),
        (0, 0, 3, 4), (25_000_001, 24_999_999, 25_000_000, 25_000_000), (3, 99_999_997, 20, 49_999_980)]],
    "contingency": [contingency(rows) for rows in [
        SCORE_TEXT, [[1, 2], [3, 4]], [[2174, 1522], [8, 24], [854, 1600], [190, 447], [12, 6], [79, 298]],
        [[5, 0, 7], [0, 0, 0], [3, 0, 9], [1, 0, 1]], [[4, 0], [9, 0]], [[0, 0, 0], [1, 2, 3]], [[0, 0], [0, 0]],
        [[9000, 1000], [1000, 9000]], [[7, 0, 0], [0, 8, 0], [0, 0, 9]], [[10, 20], [20, 40]],
        [[10_000_001, 20_000_000, 30_000_000], [10_000_000, 20_000_000, 30_000_000]],
        [[3, 1, 4, 1, 5, 9, 2, 6], [5, 3, 5, 8, 9, 7, 9, 3]]]],
    "categories": [categories(SCORE_TEXT, 2), categories([[0, 0, 0], [1, 0, 3], [2, 0, 2]], 1)],
    "strata": [
        strata("Berkeley 1973, women against men, by department", BERKELEY),
        strata("one", BERKELEY[:1]),
        strata("with strata that say nothing", BERKELEY[:3] + [[[0, 0], [4, 5]], [[3, 0], [8, 0]], [[0, 4], [0, 9]]]),
        strata("opposite gaps", [[[30, 10], [10, 30]], [[10, 30], [30, 11]]]),
        strata("under half a person", [[[5, 5], [5, 6]], [[7, 3], [8, 3]]]),
        strata("small odds", [[[2, 90], [80, 10]], [[1, 70], [95, 4]], [[3, 300], [30, 40]]]),
        strata("large odds", [[[90, 2], [10, 80]], [[70, 1], [4, 95]], [[300, 3], [40, 30]]]),
        strata("no success in the group", [[[0, 9], [4, 5]], [[0, 3], [2, 7]]]),
        strata("no success in the reference", [[[4, 9], [0, 5]], [[2, 3], [0, 7]]]),
        strata("large counts", [[[5_000_000, 15_000_000], [5_001_000, 14_999_000]], [[9_000, 1_000], [90_500, 9_500]]]),
        strata("a few among many", [[[0, 1], [56, 99]], [[0, 1], [73, 243]], [[0, 0], [0, 2]], [[0, 30], [637, 3314]],
                                    [[1, 0], [42, 161]], [[1, 0], [9, 267]]]),
        strata("nothing", [[[0, 0], [3, 4]]]),
    ],
    "benefits": [benefits(groups) for groups in [
        COMPAS, [[g[2], g[3], g[0], g[1]] for g in COMPAS], [[3, 0, 4, 0], [2, 0, 9, 0]], [[1, 5, 2, 0], [3, 4, 9, 0]],
        [[0, 0, 0, 3]], [[0, 0, 0, 0]], [[0, 0, 0, 4], [5, 1, 2, 2], [0, 0, 0, 0]],
        [[10 ** 9, 10 ** 6, 10 ** 9, 10 ** 6], [10 ** 9, 10 ** 6 + 1, 10 ** 9, 10 ** 6]]] if groups != [[0, 0, 0, 0]]],
    "rankings": [ranking(LIST, 3, [1, 4, 5, 10, 30]), ranking(LIST[:9], 4, [2, 5]), ranking([0, 0, 0], 1, [1, 2])],
    "numbers": [numbers(A, B, [[20.0, 1.0]]), numbers(B, A, []), numbers(FAR, A, []), numbers(A[:1], [[2.0, 3.0], [2.0, 4.0]], B)],
    "weights": [weights(rows) for rows in [
        [[31, 62], [59, 148]], [[1600, 854], [1522, 2174], [24, 8]], [[0, 5], [4, 4]], [[10 ** 12, 3], [7, 10 ** 11]]]],
    "proxies": proxies(NAMES),
}


def plain(value):
    if isinstance(value, mpf):
        return float(mp.nstr(value, 17)) + 0.0
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value


def main():
    sections = []
    for name, content in plain(CONTENT).items():
        items = content if isinstance(content, list) else [content]
        lines = ",\n".join(json.dumps(item, separators=(",", ":")) for item in items)
        sections.append(f'"{name}":[\n{lines}\n]')
    text = "{\n" + ",\n".join(sections) + "\n}\n"
    (pathlib.Path(__file__).parent / "tables.json").write_text(text, encoding="utf-8")


main()
