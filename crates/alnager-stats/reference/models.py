#!/usr/bin/env python3
"""Writes models.json: 200 invented rows with the regressions fitted to them, and figures of resampling and power.

Needs numpy, scipy and statsmodels (written with statsmodels 0.15.0). The rows come from a plain linear
congruential generator and are stored, so the file does not depend on anybody's random numbers.
"""
import json
import math
import pathlib
import warnings

import numpy as np
import scipy
import statsmodels
import statsmodels.api as sm
from scipy import stats

warnings.filterwarnings("error", category=RuntimeWarning)
STATE = [20240607]


def uniform():
    STATE[0] = (STATE[0] * 6364136223846793005 + 1442695040888963407) % 2**64
    return (STATE[0] >> 33) / 2**31


def normal():
    return sum(uniform() for _ in range(12)) - 6


def rows():
    for _ in range(200):
        group = int(uniform() < 0.4)
        experience = round(6 + 3 * normal() - 1.5 * group, 2)
        score = round(50 + 10 * normal() + 1.5 * experience, 1)
        region = uniform()
        north, south = int(region < 0.3), int(0.3 <= region < 0.55)
        weight = 1 + int(3 * uniform())
        eta = -3.4 + 0.22 * experience + 0.035 * score - 0.8 * group + 0.5 * north
        hired = int(uniform() < 1 / (1 + math.exp(-eta)))
        pay = round(20 + 0.9 * experience + 0.08 * score - 2.1 * group + south + (1 + 0.2 * abs(experience)) * normal(), 2)
        yield [group, experience, score, north, south, weight, hired, pay]


NAMES = ["group", "experience", "score", "north", "south"]
COLUMNS = ["intercept", *NAMES]


def table(params, errors, tests, p):
    return {
        name: {"value": params[i], "standard_error": errors[i], "statistic": tests[i], "p": p[i]}
        for i, name in enumerate(COLUMNS[: len(params)])
    }


def logit(fit, y, weights=None):
    fitted = table(fit.params, fit.bse, fit.tvalues, fit.pvalues)
    w = np.ones(len(y)) if weights is None else weights
    yes, all_ = (w * y).sum(), w.sum()
    null = yes * math.log(yes / all_) + (all_ - yes) * math.log(1 - yes / all_)
    lr = 2 * (fit.llf - null)
    return {
        "coefficients": fitted,
        "odds_ratio": dict(zip(COLUMNS, np.exp(fit.params))),
        "odds_ratio_interval": dict(zip(COLUMNS, np.exp(fit.conf_int()).tolist())),
        "log_likelihood": fit.llf,
        "null_log_likelihood": null,
        "pseudo_r2": 1 - fit.llf / null,
        "likelihood_ratio": lr,
        "likelihood_ratio_p": stats.chi2.sf(lr, len(fit.params) - 1),
    }


def category(fit, x, positions):
    """Each category of a set against none, with the derivative written out."""
    p = lambda z: 1 / (1 + np.exp(-z @ fit.params))
    base = x.copy()
    base[:, positions] = 0
    out = {}
    for j in positions:
        on = base.copy()
        on[:, j] = 1
        p1, p0 = p(on), p(base)
        gradient = ((p1 * (1 - p1))[:, None] * on - (p0 * (1 - p0))[:, None] * base).mean(axis=0)
        se = math.sqrt(gradient @ fit.cov_params() @ gradient)
        out[COLUMNS[j]] = {"value": (p1 - p0).mean(), "standard_error": se}
    return out


def oaxaca(x, y, group):
    a, b = group == 1, group == 0
    beta = lambda x, y: np.linalg.lstsq(x, y, rcond=None)[0]
    of_a, of_b, pooled = beta(x[a], y[a]), beta(x[b], y[b]), beta(x, y)
    beside = beta(np.column_stack([x, group]), y)[:-1]
    mean_a, mean_b = x[a].mean(axis=0), x[b].mean(axis=0)
    apart, gap = mean_a - mean_b, y[a].mean() - y[b].mean()
    names = COLUMNS[2:]

    def twofold(beta):
        return {
            "explained": apart @ beta,
            "unexplained": gap - apart @ beta,
            "explained_by": dict(zip(names, apart[1:] * beta[1:])),
        }

    return {
        "gap": gap,
        "reference": twofold(of_b),
        "pooled": twofold(pooled),
        "pooled_with_group": twofold(beside),
        "threefold": {
            "endowments": apart @ of_b,
            "coefficients": mean_b @ (of_a - of_b),
            "interaction": apart @ (of_a - of_b),
        },
    }


def resampling():
    values = [[round(normal(), 6) for _ in range(3)] for _ in range(60)]
    array = np.array(values)
    estimates = [0.1, -0.2, 0.05]
    sorted_, estimate, a = np.sort(array[:, 0]), 0.1, 0.03
    z0 = stats.norm.ppf((sorted_ < estimate).mean())
    ends = [z0 + z for z in (-stats.norm.isf(0.05), stats.norm.isf(0.05))]
    shares = [stats.norm.cdf(z0 + e / (1 - a * e)) for e in ends]
    t = np.abs(array - estimates) / array.std(axis=0, ddof=1)
    reach = np.quantile(t.max(axis=1), 0.9)
    # The ratio of two rates, each row of the table left out once.
    cells = [12, 28, 30, 20]
    ratio = lambda c: (c[0] / (c[0] + c[1])) / (c[2] / (c[2] + c[3]))
    left_out = np.repeat([ratio([c - (i == j) for j, c in enumerate(cells)]) for i in range(4)], cells)
    u = left_out.mean() - left_out
    return {
        "values": values,
        "estimates": estimates,
        "percentile": np.quantile(sorted_, [0.05, 0.95]).tolist(),
        "basic": [2 * estimate - q for q in np.quantile(sorted_, [0.95, 0.05])],
        "bca": np.quantile(sorted_, shares).tolist(),
        "standard_deviation": array[:, 0].std(ddof=1),
        "reach": reach,
        "simultaneous": [[e - reach * s, e + reach * s] for e, s in zip(estimates, array.std(axis=0, ddof=1))],
        "cells": cells,
        "acceleration": (u**3).sum() / (6 * (u**2).sum() ** 1.5),
    }


def power(n_g, n_r, p_g, p_r, alpha):
    if max(n_g, n_r) < 2000:
        chance = sum(
            stats.binom.pmf(i, n_g, p_g) * stats.binom.pmf(j, n_r, p_r)
            for i in range(n_g + 1)
            for j in range(n_r + 1)
            if stats.fisher_exact([[i, n_g - i], [j, n_r - j]])[1] <= alpha
        )
    else:
        z, p, d = stats.norm.isf(alpha / 2), (n_g * p_g + n_r * p_r) / (n_g + n_r), abs(p_g - p_r)
        s0 = math.sqrt(p * (1 - p) * (1 / n_g + 1 / n_r))
        s1 = math.sqrt(p_g * (1 - p_g) / n_g + p_r * (1 - p_r) / n_r)
        chance = stats.norm.cdf((d - z * s0) / s1) + stats.norm.cdf((-d - z * s0) / s1)
    return {"n": [n_g, n_r], "rates": [p_g, p_r], "alpha": alpha, "power": chance}


def main():
    data = list(rows())
    array = np.array(data, dtype=float)
    x = sm.add_constant(array[:, :5])
    group, weight, hired, pay = array[:, 0], array[:, 5], array[:, 6], array[:, 7]
    plain = sm.Logit(hired, x).fit(disp=0, tol=1e-14)
    weighted = sm.GLM(hired, x, family=sm.families.Binomial(), freq_weights=weight).fit(tol=1e-14)
    margins = plain.get_margeff(dummy=True)
    raw = sm.Logit(hired, x[:, [0, 1]]).fit(disp=0, tol=1e-14)
    ols, robust = sm.OLS(pay, x).fit(), sm.OLS(pay, x).fit(cov_type="HC1")
    out = {
        "versions": {"numpy": np.__version__, "scipy": scipy.__version__, "statsmodels": statsmodels.__version__},
        "columns": [*NAMES, "weight", "hired", "pay"],
        "logit": logit(plain, hired),
        "logit_weighted": logit(weighted, hired, weight),
        "effects": {
            name: {"value": margins.margeff[i], "standard_error": margins.margeff_se[i]}
            for i, name in enumerate(NAMES)
        },
        "category": category(plain, x, [4, 5]),
        "raw": category(raw, x[:, [0, 1]], [1]),
        "classical": table(ols.params, ols.bse, ols.tvalues, ols.pvalues),
        "robust": table(robust.params, robust.bse, robust.tvalues, robust.pvalues),
        "r2": ols.rsquared,
        "residual_sd": math.sqrt(ols.mse_resid),
        "oaxaca": oaxaca(np.delete(x, 1, axis=1), pay, group),
        "resampling": resampling(),
        "power": [
            power(20, 30, 0.2, 0.6, 0.05),
            power(15, 15, 0.5, 0.5, 0.05),
            power(40, 25, 0.1, 0.4, 0.01),
            power(12, 40, 0.0, 0.5, 0.05),
            power(3000, 5000, 0.45, 0.5, 0.05),
            power(10_000, 200_000, 0.09, 0.1, 0.01),
        ],
    }
    text = json.dumps(out, indent=1)
    stored = ",\n".join("  " + json.dumps(row) for row in data)
    text = text[:-2] + ',\n "rows": [\n' + stored + "\n ]\n}\n"
    pathlib.Path(__file__).with_name("models.json").write_text(text)


main()
