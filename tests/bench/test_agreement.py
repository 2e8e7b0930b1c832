"""What is timed beside ours computes the same: networks, costs, optimisers; what has no like is refused."""

import numpy as np
import pytest

import cnnspec
from cnnspec.api import read_spec
from cnnspec.bench import agreement
from cnnspec.bench import torch_program as twin
from cnnspec.bench.subject import numbers
from cnnspec.settings.optimisers import OPTIMISERS

IMAGES = """input 3x8x8
conv 6x3x3 pad 1 bias off -> bn -> relu -> maxpool 2 -> dropout 20% -> dense 4 -> softmax
"""
PIXELS = """input 2x5x6
conv 3x3x3 pad same -> softmax
train { cost cross_entropy smoothing 0.1 weight 0.3 }
"""
NETS = {
    "images": IMAGES,
    "pixels": PIXELS,
    "logsoftmax": "input 5\ndense 4 -> logsoftmax\n",
    "sigmoid judged by classes": "input 5\ndense 4 -> sigmoid\ntrain { cost cross_entropy }\n",
    "yes or no": "input 3x12\nconv 4x3 -> relu -> gap -> dense 1 -> sigmoid\n",
    "several of several": """input 2x6x6 as left
input 2x6x6 as right
net trunk = conv 4x3x3 -> bn -> relu
concat( @left -> trunk | @right -> trunk ) -> gap as both
net kind = @both -> dense 3 -> softmax
net place = @both -> dense 4
train { cost huber delta 0.5 of place weight 2 ; cost cross_entropy of kind }
""",
    "distances": "input 6\ndense 4\ntrain { cost mae }\n",
    "margins": "input 6\ndense 4\ntrain { cost hinge margin 2 }\n",
    "droppath": "input 3x6x6\nadd( conv 3x3x3 pad 1 -> droppath 30% | id ) -> gap -> dense 3 -> softmax\n",
}


def job(tmp_path, text, against, input=None):
    path = tmp_path / "net.cnn"
    path.write_text(text)
    settings = {"spec": str(path), "input": input, "batch": 8, "workers": 1}
    return {**settings, "against": against, "modes": ["train", "infer"]}


@pytest.mark.parametrize("text", NETS.values(), ids=NETS)
def test_pytorch_computes_the_same(text, tmp_path):
    pytest.importorskip("torch")
    assert agreement.check(job(tmp_path, text, "torch")) < 1e-11


def test_jax_computes_the_same(tmp_path):
    pytest.importorskip("jax")
    assert agreement.check(job(tmp_path, NETS["images"], "jax")) < 1e-11


def test_a_wrong_gradient_is_found():
    mine = {"": np.array(1.0), "conv1.weight": np.ones(3), "conv1.bias": np.zeros(3)}
    assert agreement.apart("train", mine, mine, "torch") == 0
    other = {**mine, "conv1.weight": np.array([1, 1, 1 + 1e-7])}
    with pytest.raises(cnnspec.SpecError, match=r"gradient of conv1\.weight is not that of torch: off by 1\.0e-07"):
        agreement.apart("train", mine, other, "torch")


SETTINGS = ["", " weight_decay 0.1 clip 0.05"]
WORDS = [o.word for o in OPTIMISERS if o.in_torch] + ["sgd momentum 0.8 nesterov on", "rmsprop momentum 0.5"]


@pytest.mark.parametrize("settings", SETTINGS, ids=["plain", "decay and clip"])
@pytest.mark.parametrize("word", WORDS)
def test_optimisers_take_the_same_steps(word, settings):
    torch = pytest.importorskip("torch")
    text = f"input 6\ndense 5 -> tanh -> dense 3 -> softmax\ntrain {{ optimiser {word} lr 0.01{settings} }}\n"
    model = cnnspec.compile(text=text, dtype="float64")
    x, y = numbers(model.spec, 8)
    made = {"__name__": "twin"}
    exec(twin.source(model.spec, True), made)
    net = made["Net"]().double()
    net.load_state_dict({name: torch.tensor(values) for name, values in model.parameters.items()})
    optimiser = made["optimiser"](net)
    for _ in range(3):
        made["step"](net, optimiser, [torch.tensor(x["input"])], [torch.tensor(y["softmax1"])])
        model.train_step(x["input"], y["softmax1"])
    for name, values in net.named_parameters():
        np.testing.assert_allclose(model.parameters[name], values.detach().numpy(), atol=1e-8, err_msg=name)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("input 6\ndense 3 -> softmax\ntrain { optimiser lion }\n", "no optimiser `lion`"),
        (
            "input 6\ndense 3 -> sigmoid\ntrain { cost cross_entropy smoothing 0.1 }\n",
            "no function for `cross_entropy",
        ),
        ("input 2x4x4\nconv 3x1x1\ntrain { cost hinge }\n", "no function for `hinge"),
    ],
)
def test_what_pytorch_has_no_like_for_is_refused_by_name(text, said):
    spec = read_spec(text=text)
    with pytest.raises(cnnspec.SpecError) as refused:
        twin.source(spec, True)
    (finding,) = refused.value.diagnostics
    assert (
        finding.code == "CNN314"
        and said.removeprefix("cost ") in finding.message
        and "--mode infer" in finding.help
    )
    assert "def cost" not in twin.source(spec, False), "inference alone needs neither"
