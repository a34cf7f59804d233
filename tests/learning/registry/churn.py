"""Changes a registry many times, in a process of its own: churn.py ROOT EXPERIMENT promote|everything TIMES."""

import os
import sys

from upath import UPath

from classification_assets.learning.registry.change import changing
from classification_assets.learning.registry.registry import Registry
from tests.learning.registry.promoted import promoted

root, experiment, what, times = sys.argv[1:]
registry = Registry(UPath(root), experiment)
for index in range(int(times)):
    promoted(registry, f"model {os.getpid()} {index}")
    if what == "everything":
        with changing(registry) as change:
            change.refuse({"reason": "not better"})
            change.serve(max(1, change.pointer.version - index % 2), "rolled back")
            change.retain(3)
