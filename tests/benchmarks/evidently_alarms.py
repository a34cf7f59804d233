"""Evidently's verdict on weeks in files: evidently_alarms.py REFERENCE WEEK... prints JSON.

Its preset calls a table drifted if at least half of its columns are; a column alone is an alarm too, which is counted
beside it.
"""

import json
import sys

import pandas as pd
from evidently import Report
from evidently.presets import DataDriftPreset

reference, *weeks = sys.argv[1:]
before, verdicts = pd.read_parquet(reference), []
for week in weeks:
    result = Report([DataDriftPreset()]).run(pd.read_parquet(week), before).dict()
    (count,) = [metric for metric in result["metrics"] if "DriftedColumnsCount" in metric["metric_name"]]
    value = count["value"]
    verdicts.append({"table": value["share"] >= 0.5, "any column": value["count"] > 0})
print(json.dumps(verdicts))
