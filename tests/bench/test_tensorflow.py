"""Networks as files of TensorFlow: what stands in them, what is refused; its numbers where it is installed."""

import subprocess
import sys

import pytest

import cnnspec
from cnnspec.api import read_spec
from cnnspec.bench import agreement, tensorflow_program

NETS = {
    "windows": """input 3x12x12
conv 4x3x3 stride 2 pad 1 -> bn -> relu -> dwconv 3x3 pad 1 bias off -> relu6
  -> conv 8x3x3 pad 2 groups 2 -> maxpool 3 stride 2 pad 1 -> shuffle 2 -> upsample 2 -> avgpool 2 pad 1
  -> layernorm -> gelu -> flatten -> dense 3 -> softmax
""",
    "joins": """input 2x6x6
concat( conv 4x1x1 -> swish | take 1 start 1 -> conv 4x3x3 pad 1 ) -> scale
  -> mul( id | gap -> dense 8 -> sigmoid ) -> upconv 2x2x2 stride 2 -> pad 1 -> crop 1 -> add( id | leaky ) -> tanh
train { cost mse ; optimiser adam weight_decay 0.1 clip 1 }
""",
}


@pytest.mark.parametrize("text", NETS.values(), ids=NETS)
def test_a_file_is_python_that_names_every_parameter(text):
    spec = read_spec(text=text)
    for training in (True, False):
        code = tensorflow_program.source(spec, training)
        compile(code, "net", "exec")
        assert ("def step(" in code) == training
    parameters = cnnspec.compile(text=text).parameters
    assert all(f"'{name}'" in code or name.split(".")[0] in code for name in parameters)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("input 6\ndense 3 -> mish -> softmax\n", "`mish` is not compared"),
        ("input 6\ndense 3 -> softmax\ntrain { optimiser lion }\n", "optimiser `lion` is not compared"),
        ("input 2x9\nconv 3x3 -> gap -> softmax\n", "sequences are not compared"),
        ("input 6\ndense 3 -> softmax\ntrain { cost hinge }\n", "training by `hinge` is not compared"),
    ],
)
def test_what_is_not_written_for_tensorflow_is_refused_by_name(text, said):
    with pytest.raises(cnnspec.SpecError) as refused:
        tensorflow_program.source(read_spec(text=text), True)
    (finding,) = refused.value.diagnostics
    assert finding.code == "CNN314" and said in finding.message and finding.help


@pytest.mark.slow  # TensorFlow takes its time to load
@pytest.mark.parametrize("text", NETS.values(), ids=NETS)
def test_tensorflow_computes_the_same_numbers_and_takes_steps(tmp_path, text):
    tf = pytest.importorskip("tensorflow")
    path = tmp_path / "net.cnn"
    path.write_text(text)
    job = {"spec": str(path), "input": None, "batch": 4, "workers": 1, "against": "tensorflow"}
    assert agreement.check({**job, "modes": ["train", "infer"]}) < 1e-9
    made = {"__name__": "made"}
    exec(tensorflow_program.source(read_spec(path), True), made)
    w, (x, y) = made["parameters"](), made["batch"](4)
    kept = made["optimiser"](w)
    step = tf.function(lambda x, y: made["step"](w, kept, x, y))
    first = float(step(x, y))
    assert min(float(step(x, y)) for _ in range(20)) < first


@pytest.mark.skipif(sys.platform == "win32", reason="a shell's path")
def test_a_side_on_tensorflow_names_what_is_missing(tmp_path):
    (tmp_path / "net.cnn").write_text("input 4\ndense 2 -> softmax\n")
    code = "import sys; sys.modules['tensorflow'] = None; from cnnspec.cli import run; sys.exit(run(sys.argv[1:]))"
    asked = ["bench", str(tmp_path / "net.cnn"), "--against", "tensorflow"]
    ended = subprocess.run([sys.executable, "-c", code, *asked], capture_output=True, text=True, timeout=300)
    assert ended.returncode == 1 and "error[CNN501]: `--against tensorflow` needs the package" in ended.stderr
