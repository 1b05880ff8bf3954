#!/usr/bin/env python3
"""Condenses expected figures to the tables beside this file; see README.md.

Usage: condense.py FOLDER, where FOLDER/<case>/expected.json holds the full figures
(numpy, scipy, scikit-learn, statsmodels, pandas; each file names its versions).
Keeps what follows from counts alone. Every figure keeps 14 significant digits; the end of a Wilson
interval that is 0 but for rounding (below 1e-15) is written as 0. Leaves out the mid-p of tables
above 100,000 rows: there the source counts tables within 1e-8 (absolute) of the observed probability
as tied with it (one of its mid-p is above its p); extremes.py has them from exact work.
"""
import json
import pathlib
import sys

CASES = {"compas": None, "german": None, "ricci": None, "adult": ["sex", "race"]}
CELLS = ["tp", "fp", "tn", "fn"]
FIGURES = ["base_rate", "selection_rate", "tpr", "fpr", "tnr", "fnr", "ppv", "npv", "fdr", "for",
           "accuracy", "balanced_accuracy", "f1", "mcc", "fn_fp_ratio", "ci_wilson",
           "ci_clopper_pearson"]
PAIR = ["selection_rate", "tpr", "fpr", "fnr", "ppv", "npv", "accuracy", "air",
        "equal_opportunity_difference", "average_odds_difference", "average_abs_odds_difference",
        "equalized_odds_gap", "treatment_equality_difference"]
AGGREGATE = ["demographic_parity_difference", "demographic_parity_ratio", "four_fifths_min_air",
             "equalized_odds_difference", "equalized_odds_ratio"]
TABLE = ["table", "wilson_group", "wilson_ref", "clopper_group", "fisher_p_two_sided",
         "fisher_p_less", "fisher_p_greater", "fisher_midp_two_sided", "sd_units_hypergeometric",
         "z_pooled", "z_pooled_p", "chi2", "chi2_p", "chi2_yates", "chi2_yates_p", "diff",
         "diff_ci_newcombe", "impact_ratio", "ratio_ci_katz", "odds_ratio", "or_ci_woolf"]


def short(value):
    if isinstance(value, float):
        return float(f"{value:.14g}")
    if isinstance(value, list):
        return [short(item) for item in value]
    if isinstance(value, dict):
        return {key: short(item) for key, item in value.items()}
    return value


def wilson(interval):
    return interval and [0.0 if abs(end) < 1e-15 else end for end in interval]


def keep(record, keys):
    return {key: short(record[key]) for key in keys if key in record}


def table(record):
    kept = keep(record, TABLE)
    if sum(map(sum, record["table"])) > 100_000:
        del kept["fisher_midp_two_sided"]
    return kept


def attribute(record):
    groups = {name: {"cells": [group[cell] for cell in CELLS], **keep(group, FIGURES)}
              for name, group in record["groups"].items()}
    for group in groups.values():
        if "ci_wilson" in group:
            group["ci_wilson"] = {rate: wilson(ends) for rate, ends in group["ci_wilson"].items()}
    return {"reference": record["reference"], "groups": groups,
            "vs_reference": {name: keep(pair, PAIR) for name, pair in record["vs_reference"].items()},
            "fisher_adjusted": short(record["fisher_adjusted"]),
            "aggregate": keep(record["aggregate"], AGGREGATE)}


def write(name, content):
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=False)
    # One line per group keeps a difference readable.
    text = text.replace('},"', '},\n"').replace('},{', '},\n{')
    (pathlib.Path(__file__).parent / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def main():
    folder = pathlib.Path(sys.argv[1])
    for case, attributes in CASES.items():
        full = json.loads((folder / case / "expected.json").read_text(encoding="utf-8"))
        chosen = attributes or list(full["attrs"])
        write(case, {"versions": full["versions"], "favorable": full["favorable"],
                     "attrs": {name: attribute(full["attrs"][name]) for name in chosen}})
    tables = json.loads((folder / "tables2x2" / "expected.json").read_text(encoding="utf-8"))
    write("tables2x2", [table(record) for record in tables])


main()
