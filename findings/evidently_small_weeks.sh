#!/usr/bin/env bash
# evidently 0.7.23: the data-drift preset calls weeks of 50 rows drifted that are drawn from the reference's own distribution.
#
# Expected: of 20 weeks without any drift, about none are called drifted.
# Real:     as soon as the reference has more than 1,000 rows, numbers are judged by a distance (Wasserstein, in standard
#           deviations, threshold 0.1) without regard to how few the new rows are. 50 normal rows are further than that from their
#           own distribution by chance alone, so nearly all columns of nearly all weeks are called drifted.
# Source:   "DataDriftPreset", https://docs.evidentlyai.com/metrics/explainer_drift: the default test depends on the rows of
#           the reference alone.
# Seen:     weeks called drifted: 20 of 20; columns called drifted: 114 of 120
# Exit: 0 if that is still so, 1 if not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q 'evidently==0.7.23' 'pandas<3'
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
import pandas as pd
from evidently import Report
from evidently.presets import DataDriftPreset

rng = np.random.default_rng(0)


def rows(n):
    return pd.DataFrame({f"x{index}": rng.normal(size=n) for index in range(6)})


reference, weeks, columns = rows(20_000), 0, 0
for _ in range(20):
    found = Report([DataDriftPreset()]).run(rows(50), reference).dict()
    (count,) = [metric["value"] for metric in found["metrics"] if "DriftedColumnsCount" in metric["metric_name"]]
    weeks += count["share"] >= 0.5
    columns += int(count["count"])
print(f"weeks called drifted: {weeks} of 20; columns called drifted: {columns} of 120")
sys.exit(0 if weeks >= 15 else 1)
PYTHON
