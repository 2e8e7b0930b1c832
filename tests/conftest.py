"""Lets every test import `oracles`, the second ways to each number.

They stand in a folder of their own: whatever lies in a folder on `sys.path` can be imported by its name, and a
folder of tests must never be taken for a package that is not installed.

How long an example takes is no property of ours, and on a busy machine it says nothing: no deadlines.
"""

import sys
from pathlib import Path

from hypothesis import HealthCheck, settings

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

sys.path.insert(0, str(Path(__file__).parent / "support"))
