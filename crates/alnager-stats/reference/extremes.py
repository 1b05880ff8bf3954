#!/usr/bin/env python3
"""Writes extremes.json: 2x2 tables with very large counts or very small p, in 60-digit arithmetic.

Needs mpmath (written with 1.4.1). Works from the definitions: log-gamma for the masses, plain sums
for the tails, secant steps for Clopper-Pearson. p-values below 1e-3 are given as decimal logarithms.
"""
import json
import pathlib

from mpmath import mp, mpf, erfc, exp, log, loggamma, sqrt

mp.dps = 60
Z = sqrt(2) * mp.erfinv(mpf("0.95"))
TABLES = [
    # successes and failures of the group, successes and failures of the reference
    [9000, 1000, 1000, 9000],
    [0, 500, 480, 20],
    [3, 99_999_997, 20, 49_999_980],
    [60_000, 39_940_000, 89_000, 59_911_000],
    [25_003_000, 24_997_000, 25_000_000, 25_000_000],
    [25_000_001, 24_999_999, 25_000_000, 25_000_000],
    [49_990_000, 10_000, 49_989_400, 10_600],
    [1, 99_999_999, 0, 1],
    [700_000, 300_000, 1_395_000, 605_000],
    [5, 0, 100_000, 90_000],
    [1200, 8800, 14_000, 86_000],
    [40_000, 60_000, 41_000, 59_000],
    [557, 1278, 1198, 1493],
]


def choose(n, k):
    return loggamma(n + 1) - loggamma(k + 1) - loggamma(n - k + 1)


def outward(first, start, end, step, ratio):
    """first * (1 + r + r r' + ...) from start to end; stops when the rest is below 1e-40."""
    total, term, x = mpf(1), mpf(1), start
    while x != end:
        r = ratio(x)
        term *= r
        total += term
        x += step
        if r < 1 and term * r < total * (1 - r) * mpf(10) ** -40:
            break
    return first * total


def fisher(a, b, c, d):
    n1, n2, m1 = a + b, c + d, a + c
    low, high = max(0, m1 - n2), min(n1, m1)
    mass = lambda x: exp(choose(n1, x) + choose(n2, m1 - x) - choose(n1 + n2, m1))
    up = lambda x: mpf((n1 - x) * (m1 - x)) / ((x + 1) * (n2 - m1 + x + 1))
    below = lambda x: mpf(0) if x < low else outward(mass(x), x, low, -1, lambda y: 1 / up(y - 1))
    above = lambda x: mpf(0) if x > high else outward(mass(x), x, high, 1, up)
    mode = (n1 + 1) * (m1 + 1) // (n1 + n2 + 2)
    at = mass(a)

    def both(level):
        """The tails of tables below `level`."""
        if mass(mode) < level:
            return mpf(1)
        left, right = low, mode  # first x of low..mode that is not below the level
        while left < right:
            middle = (left + right) // 2
            left, right = (middle + 1, right) if mass(middle) < level else (left, middle)
        first = left
        left, right = mode, high + 1  # first x of mode..high that is below the level
        while left < right:
            middle = (left + right) // 2
            left, right = (left, middle) if mass(middle) < level else (middle + 1, right)
        return below(first - 1) + above(left)

    tie = mpf(10) ** -7
    with_ties, without = both(at * (1 + tie)), both(at * (1 - tie))
    less = below(a) if a <= mode else 1 - above(a + 1)
    greater = above(a) if a >= mode else 1 - below(a - 1)
    return {"two_sided": with_ties, "midp_two_sided": (with_ties + without) / 2,
            "less": less, "greater": greater}


def clopper(k, n):
    half = mpf("0.025")

    def at_least(p):
        odds = p / (1 - p)
        mass = exp(choose(n, k) + k * log(p) + (n - k) * log(1 - p))
        return outward(mass, k, n, 1, lambda x: mpf(n - x) / (x + 1) * odds)

    def at_most(p):
        odds = (1 - p) / p
        mass = exp(choose(n, k) + k * log(p) + (n - k) * log(1 - p))
        return outward(mass, k, 0, -1, lambda x: mpf(x) / (n - x + 1) * odds)

    def solve(tail, inner):
        """Secant steps on the log of the tail from just outside the share, in log odds."""
        share = lambda t: 1 / (1 + exp(-t))
        spread = sqrt(mpf(1) / k + mpf(1) / (n - k))
        f = lambda t: log(tail(share(t)) / half)
        t0, t1 = inner + mpf("1.9") * sign * spread, inner + mpf("2.1") * sign * spread
        f0, f1 = f(t0), f(t1)
        while abs(t1 - t0) > mpf(10) ** -25 * (1 + abs(t1)):
            t0, t1, f0 = t1, t1 - f1 * (t1 - t0) / (f1 - f0), f1
            f1 = f(t1)
        return share(t1)

    if k == 0:
        return mpf(0), 1 - half ** (mpf(1) / n)
    if k == n:
        return half ** (mpf(1) / n), mpf(1)
    middle = log(mpf(k) / (n - k))
    sign = -1
    low = solve(at_least, middle)
    sign = 1
    return low, solve(at_most, middle)


def wilson(k, n):
    root = Z * sqrt(mpf(k) * (n - k) / n + Z * Z / 4)
    middle = k + Z * Z / 2
    return (middle - root) / (n + Z * Z), (middle + root) / (n + Z * Z)


def figures(a, b, c, d):
    n1, n2, m1, m2 = a + b, c + d, a + c, b + d
    n = n1 + n2
    p1, p2 = mpf(a) / n1, mpf(c) / n2
    (l1, u1), (l2, u2) = wilson(a, n1), wilson(c, n2)
    z = (a * d - b * c) * sqrt(mpf(n) / (mpf(n1) * n2 * m1 * m2))
    yates = max(abs(a * d - b * c) - mpf(n) / 2, 0) ** 2 * n / (mpf(n1) * n2 * m1 * m2)
    p = fisher(a, b, c, d)
    large = {"fisher_midp_two_sided" if name == "midp_two_sided" else f"fisher_p_{name}": value
             for name, value in p.items() if value >= mpf("0.001")}
    small = {name: log(value, 10) for name, value in p.items() if value < mpf("0.001")}
    return {
        "table": [[a, b], [c, d]],
        "wilson_group": [l1, u1],
        "wilson_ref": [l2, u2],
        "clopper_group": clopper(a, n1),
        **large,
        "fisher_log10": small,
        "sd_units_hypergeometric": z * sqrt(mpf(n - 1) / n),
        "z_pooled": z,
        "z_pooled_log10_p": log(erfc(abs(z) / sqrt(2)), 10),
        "chi2_yates": yates,
        "chi2_yates_log10_p": log(erfc(sqrt(yates / 2)), 10),
        "diff": p1 - p2,
        "diff_ci_newcombe": [p1 - p2 - sqrt((p1 - l1) ** 2 + (u2 - p2) ** 2),
                             p1 - p2 + sqrt((u1 - p1) ** 2 + (p2 - l2) ** 2)],
    }


def plain(value):
    if isinstance(value, mpf):
        return float(mp.nstr(value, 16)) + 0.0
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value


rows = [json.dumps(plain(figures(*table)), separators=(",", ":")) for table in TABLES]
text = "[\n" + ",\n".join(rows) + "\n]\n"
(pathlib.Path(__file__).parent / "extremes.json").write_text(text, encoding="utf-8")
