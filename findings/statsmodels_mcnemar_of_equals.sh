#!/usr/bin/env bash
# statsmodels 0.15.0: McNemar's test calls two classifiers that agree on every row as different as can be (p = 0).
#
# Expected: two classifiers that are right and wrong on the same rows have no discordant pair, so nothing speaks for a
#           difference: a p-value of 1, as `exact=True` gives.
# Real:     `mcnemar(table, exact=False)` divides its continuity correction by the zero discordant pairs: the statistic is
#           infinite and the p-value 0, with a warning of NumPy's at most. "Promote if p < 0.05" lets a copy of the champion in.
# Source:   "statsmodels.stats.contingency_tables.mcnemar",
#           https://www.statsmodels.org/stable/generated/statsmodels.stats.contingency_tables.mcnemar.html
# Seen:     exact: statistic 0, p 1; chi-squared, corrected: statistic inf, p 0; chi-squared, not corrected: statistic nan, p nan
# Exit: 0 if that is still so, 1 if not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q 'statsmodels==0.15.0' 2>"$folder/pip" || { cat "$folder/pip" >&2; exit 1; }
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import sys

import numpy as np
from statsmodels.stats.contingency_tables import mcnemar

right = np.random.default_rng(0).random(200) < 0.9
table = [[int((right & right).sum()), 0], [0, int((~right & ~right).sum())]]
found = {name: mcnemar(table, **options) for name, options in {
    "exact": {"exact": True},
    "chi-squared, corrected": {"exact": False},
    "chi-squared, not corrected": {"exact": False, "correction": False},
}.items()}
print(*(f"{name}: statistic {each.statistic:g}, p {each.pvalue:g}" for name, each in found.items()), sep="; ")
sys.exit(0 if found["exact"].pvalue == 1 and found["chi-squared, corrected"].pvalue == 0 else 1)
PYTHON
