"""What is written in another language is told of once, and a program becomes the spec that says the same."""

from __future__ import annotations

from textwrap import dedent

import pytest

from cnnspec.diagnostics import Source
from cnnspec.lang import read
from cnnspec.lang.hints.fixes import edited

PROGRAMS = {  # and the spec that each stands for
    """\
    import torch.nn as nn

    class Net(nn.Module):
        def __init__(self):
            super(Net, self).__init__()
            self.conv1 = nn.Conv2d(1, 32, 3)
            self.pool = nn.MaxPool2d(2)
            self.drop = nn.Dropout(0.25)
            self.fc1 = nn.Linear(5408, 10)

        def forward(self, x):
            x = F.relu(self.conv1(x))
            x = self.drop(self.pool(x))
            x = x.view(x.size(0), -1)
            return F.log_softmax(self.fc1(x), dim=1)
    """: """\
    conv 32x3x3 -> relu -> maxpool 2 -> dropout 0.25 -> flatten -> dense 10 -> logsoftmax
    """,
    """\
    inputs = keras.Input(shape=(28, 28, 1))
    x = layers.Conv2D(8, 3, activation="relu")(inputs)
    y = layers.Conv2D(8, 3, padding="same")(x)
    x = layers.add([x, y])
    x = layers.Flatten()(x)
    outputs = layers.Dense(10, activation="softmax")(x)
    model = keras.Model(inputs, outputs)
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x_train, y_train, epochs=5, batch_size=32)
    """: """\
    input 1x28x28
    conv 8x3x3 -> relu -> add(id | conv 8x3x3 pad same) -> flatten -> dense 10 -> softmax
    train { optimiser adam ; cost cross_entropy ; epochs 5 ; batch 32 }
    """,
    """\
    model = keras.Sequential()
    model.add(layers.Conv2D(32, (3, 3), activation='relu', input_shape=(28, 28, 1)))
    model.add(layers.MaxPooling2D((2, 2)))
    model.add(layers.Flatten())
    model.add(layers.Dense(10))
    """: """\
    input 1x28x28
    conv 32x3x3 -> relu -> maxpool 2x2 -> flatten -> dense 10
    """,
    """\
    net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(True), nn.Flatten(), nn.LazyLinear(10))
    """: "",
    """\
    net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(True), nn.Flatten(), nn.Linear(7200, 10))
    criterion = nn.CrossEntropyLoss()
    optimizer = optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
    for epoch in range(2):
        optimizer.zero_grad()
    """: """\
    conv 8x3x3 -> relu -> flatten -> dense 10 -> softmax
    train { cost cross_entropy ; optimiser sgd lr 0.01 momentum 0.9 }
    """,
    """\
    class Block(nn.Module):
        def __init__(self):
            self.conv = nn.Conv2d(8, 8, 3, padding=1)
            self.bn = nn.BatchNorm2d(8)

        def forward(self, x):
            out = self.bn(self.conv(x))
            out += x
            return F.relu(out)
    """: """\
    add(conv 8x3x3 pad 1 -> bn | id) -> relu
    """,
    """\
    class Twice(nn.Module):
        def __init__(self):
            self.conv = nn.Conv2d(8, 8, 3, padding=1)

        def forward(self, x):
            return self.conv(self.conv(x))
    """: "",
    """\
    class Loop(nn.Module):
        def __init__(self):
            self.layers = make_layers()

        def forward(self, x):
            for layer in self.layers:
                x = layer(x)
            return x
    """: "",
    "x = F.relu(x)\n": "relu\n",
    "x = torch.cat([F.relu(x), F.tanh(x)], 1)\ny = x\n": "concat(relu | tanh)\n",
}  # fmt: skip


@pytest.mark.parametrize(("program", "spec"), PROGRAMS.items())
def test_a_program_is_told_of_once_and_becomes_its_spec(program: str, spec: str) -> None:
    wrong = Source("a.cnn", dedent(program))
    first, *others = (found for found in read(wrong).diagnostics if found.severity == "error")
    assert not others
    assert first.span is not None
    assert first.span.start == 0
    assert first.code == "CNN596"
    assert "`->` between them" in first.help or first.fix
    if spec:
        assert edited(wrong.text, first.fix).rstrip() == dedent(spec).rstrip()
        assert not read(Source("a.cnn", dedent(spec)), fixes=False).errors
    assert not first.safe
    assert spec or not first.fix


def test_the_rest_of_the_file_is_read() -> None:
    text = "input 1x28x28\nx = layers.Conv2D(8, 3)(x)\nx = layers.ReLU()(x)\ntrain { epohcs 3 }\n"
    program, setting = read(Source("a.cnn", text)).errors
    assert (program.code, program.span.line if program.span else 0) == ("CNN596", 2)
    assert (setting.code, setting.span.line if setting.span else 0) == ("CNN202", 4)
    assert edited(text, program.fix) == "input 1x28x28\nconv 8x3x3 -> relu\ntrain { epohcs 3 }\n"


FILES = {
    "[net]\nbatch=64\nchannels=3\n\n[convolutional]\nfilters=32\nactivation=leaky\n": "Darknet",
    'name: "LeNet"\nlayer {\n  name: "conv1"\n  type: "Convolution"\n}\n': "Caffe",
    "nc: 80\nbackbone:\n  - [-1, 1, Conv, [64, 6, 2, 2]]\nhead:\n  - [-1, 1, Conv, [512]]\n": "YAML",
    '{"layers": [{"type": "conv", "filters": 8}]}': "JSON",
    '<?xml version="1.0"?>\n<net>\n<layer/>\n</net>\n': "XML",
    "[model]\nfilters = 8\nkernel = 3\n[train]\nepochs = 3\n": "a list of settings",
}


@pytest.mark.parametrize(("text", "what"), FILES.items())
def test_a_file_of_another_program_is_told_of_once(text: str, what: str) -> None:
    (found,) = read(Source("a.cnn", text)).diagnostics
    assert found.code == "CNN596"
    assert what in found.message
    assert "cnnspec import" in found.help


SPECS = (  # with mistakes, and yet specs
    "input 1x28x28\nconv 8x3x3 -> relu maxpool 2\n",
    "relu\nflatten\n",
    "a = 8\nb = 3\nconv 8x3x3 -> relu\n",
    "train: epochs 3\nconv 8x3x3\n",
    "input 4\ndense 3 =\n",
    "model = conv 8x3x3 -> relu\n",
)


@pytest.mark.parametrize("text", SPECS)
def test_a_spec_with_mistakes_is_no_other_language(text: str) -> None:
    assert "CNN596" not in {found.code for found in read(Source("a.cnn", text)).diagnostics}
