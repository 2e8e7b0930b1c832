"""Lets every test import `oracles`, the second ways to each number.

They stand in a folder of their own: whatever lies in a folder on `sys.path` can be imported by its name, and a
folder of tests must never be taken for a package that is not installed.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "support"))
