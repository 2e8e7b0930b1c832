"""A training step of ours in JavaScript beside those of ConvNetJS and TensorFlow.js, in one process and by turns.

CNNSPEC_NODE_MODULES is a folder in which `npm install convnetjs @tensorflow/tfjs` was done; `pytest -s` prints.
"""

import json
import os
import statistics
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner
from scripts import need_node

from cnnspec.cli import program

# the network of specs/digits.cnn without what ConvNetJS lacks: normalisation
TEXT = """input 1x28x28
conv 16x3x3 pad same -> relu -> maxpool 2 -> conv 32x3x3 pad same -> relu -> maxpool 2
  -> dense 64 -> relu -> dense 10 -> softmax
data { source digits }
train { optimiser sgd lr 0.01 momentum 0.9 ; batch 64 }
"""
ROUNDS = 3


@pytest.mark.slow
@pytest.mark.skipif("CNNSPEC_NODE_MODULES" not in os.environ, reason="CNNSPEC_NODE_MODULES names no folder")
def test_it_trains_ten_and_a_hundred_times_as_fast(tmp_path):
    need_node()
    (tmp_path / "net.cnn").write_text(TEXT)
    arguments = ["compile", str(tmp_path / "net.cnn"), "--emit", "js", "--train", "-o", str(tmp_path / "net.mjs")]
    assert CliRunner().invoke(program, arguments, standalone_mode=False).exception is None
    script, folder = Path(__file__).with_name("js_libraries.mjs"), os.environ["CNNSPEC_NODE_MODULES"]
    command = ["node", str(script), str(tmp_path / "net.mjs"), folder, str(ROUNDS)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stderr
    speeds = json.loads(done.stdout.splitlines()[-1])
    ours, *others = (statistics.median(speeds[name]) for name in ("cnnspec", "ConvNetJS", "TensorFlow.js"))
    for name, found in speeds.items():
        print(f"{name}: {statistics.median(found):,.1f} images/s ({min(found):,.1f} to {max(found):,.1f})")
    assert ours >= 10 * others[0] and ours >= 100 * others[1]
