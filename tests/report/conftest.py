import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # pictured.py and browser.py lie beside the tests
