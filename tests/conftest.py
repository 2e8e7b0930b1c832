"""Lets every test import `oracles`, the second ways to each number."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
