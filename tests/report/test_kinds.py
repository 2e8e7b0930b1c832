"""Inputs and outputs of every kind are shown as what they are, with the names that the data gave them."""

import numpy as np
import pytest
from browser import complaints, resize, show, start, wait

import cnnspec
from cnnspec.data.dataset import Scaling
from cnnspec.data.formats.schema import TableSchema
from cnnspec.data.preparation import Preparation
from cnnspec.explain.kinds import kinds
from cnnspec.explain.subject import Example, Subject
from cnnspec.report.page import page

READY = "return document.documentElement.dataset.ready"
EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def driver():
    made = start()
    resize(made, 1400)
    yield made
    made.quit()


def subject_of(text, x, y, classes=(), preparation=None, **more):
    model = cnnspec.compile(text=text, dtype="float64", seed=4)
    example = Example("noise", model.arrays(x, y), **more)
    return Subject("net", model, (example,), classes, preparation=preparation)


def noise(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=(1, *shape))


def opened(driver, tmp_path, subject, place=""):
    path = tmp_path / "page.html"
    path.write_text(page(subject), encoding="utf-8")
    show(driver, path, place)
    return driver.find_element("id", "answers")


def colours(driver, css):
    """The pixels of a canvas, (h, w, 3)."""
    script = """const c = document.querySelector(arguments[0]);
        return [c.height, c.width, ...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]"""
    height, width, *data = driver.execute_script(script, css)
    return np.array(data, np.uint8).reshape(height, width, 4)[..., :3]


# As in PASCAL VOC: the bits of a class's number, spread over red, green and blue.
VOC = np.array([[0, 0, 0], [128, 0, 0], [0, 128, 0], [128, 128, 0]])


def test_a_mask_has_colours_and_the_names_of_its_classes(driver, tmp_path):
    text = "input 3x7x9\nconv 4x3x3 pad same -> softmax\ntrain { cost cross_entropy }"
    right = np.random.default_rng(1).integers(0, 4, (1, 7, 9))
    subject = subject_of(text, noise(3, 7, 9), right, ("sky", "road", EVIL, "car"))
    answers = opened(driver, tmp_path, subject)
    answered = subject.look(subject.examples[0]).values["softmax1"][0].argmax(0)
    assert (colours(driver, "#answers figure:nth-child(1) canvas") == VOC[answered]).all()
    assert (colours(driver, "#answers figure:nth-child(2) canvas") == VOC[right[0]]).all()
    shares = {name: (answered == k).mean() for k, name in enumerate(("sky", "road", EVIL, "car"))}
    for row in answers.find_elements("css selector", "tr")[1:]:
        name, said, _ = (cell.text for cell in row.find_elements("css selector", "th, td"))
        assert said == f"{100 * shares[name]:.1f} %"
    assert complaints(driver) == []


def test_an_image_is_answered_as_an_image(driver, tmp_path):
    text = "input 3x8x8\nconv 4x3x3 pad same -> relu -> conv 3x3x3 pad same -> sigmoid\ntrain { cost mse }"
    x = np.random.default_rng(2).uniform(size=(1, 3, 8, 8))
    subject = subject_of(text, x, x)
    opened(driver, tmp_path, subject)
    wanted = x[0]
    wanted = np.rint(255 * (wanted - wanted.min()) / (wanted.max() - wanted.min())).transpose(1, 2, 0)
    shown = colours(driver, "#answers figure:nth-child(2) canvas")
    assert np.abs(shown - wanted).max() <= 1
    value = subject.look(subject.examples[0]).values["sigmoid1"][0]
    wanted = np.rint(255 * (value - value.min()) / (value.max() - value.min())).transpose(1, 2, 0)
    assert np.abs(colours(driver, "#answers figure:nth-child(1) canvas") - wanted).max() <= 1


def test_numbers_have_the_names_of_their_columns(driver, tmp_path):
    table = TableSchema(("height", EVIL, "kind"), 4, "price", categories=(None, None, ("flat", "house")))
    preparation = Preparation((4,), Scaling(), "floats", (-3.0, 3.0), None, "csv", table=table)
    text = "input 4\ndense 3 -> tanh -> dense 1\ntrain { cost mse }"
    subject = subject_of(text, noise(4), np.array([[0.5]]), preparation=preparation)
    answers = opened(driver, tmp_path, subject, "dense1[1]")
    rows = [row.text for row in driver.find_elements("css selector", "#picture tr")[1:]]
    assert [row.rpartition(" ")[0] for row in rows] == ["height", EVIL, "kind flat", "kind house"]
    value = subject.look(subject.examples[0]).values["dense2"][0][0]
    said = answers.find_elements("css selector", "tr")[1].text.split(" ")
    assert said[:1] == ["price"] and float(said[1]) == float(f"{value:.5g}") and said[2] == "0.5"
    assert complaints(driver) == []


def test_every_input_is_drawn_with_what_the_number_sees_of_it(driver, tmp_path):
    text = """
        input 1x6x6 as left
        input 3x10 as sound
        net a = @left -> conv 2x3x3 -> flatten -> dense 4 -> tanh
        net b = @sound -> conv 2x3 -> flatten -> dense 4 -> tanh
        mul( @a | @b ) -> dense 2 -> softmax"""
    x = {"left": noise(1, 6, 6), "sound": noise(3, 10)}
    subject = subject_of(text, x, np.array([1]), ("no", "yes"))
    opened(driver, tmp_path, subject, "a.conv1[1,2,3]")
    assert (
        driver.find_element("id", "receptive").text == "a.conv1[1,2,3] sees rows 2 to 4 and columns 3 to 5 of left"
    )
    assert len(driver.find_elements("css selector", "#picture [data-input=left] .box.window")) == 1
    assert len(driver.find_elements("css selector", "#picture [data-input=sound] polyline")) == 3
    driver.execute_script("window.location.hash = 'b.conv1[0,4]'")
    wait(driver, lambda d: d.find_element("id", "receptive").text.startswith("b.conv1"))
    assert driver.find_element("id", "receptive").text == "b.conv1[0,4] sees columns 4 to 6 of sound"
    assert not driver.find_elements("css selector", "#picture .box.window")
    seen = driver.find_element("css selector", "#picture .seen")
    assert (seen.get_attribute("x"), seen.get_attribute("width")) == ("168", "126")
    driver.execute_script("window.location.hash = 'dense1[1]'")
    wait(driver, lambda d: " of sound" in d.find_element("id", "receptive").text)
    assert " of left" in driver.find_element("id", "receptive").text


def test_two_outputs_are_told_apart(driver, tmp_path):
    text = """
        input 1x6x6
        conv 2x3x3 -> flatten as trunk
        net kind = @trunk -> dense 3 -> softmax
        net turn = @trunk -> dense 2 -> tanh
        train { cost cross_entropy of kind ; cost mse of turn weight 0.5 }"""
    preparation = Preparation(
        (1, 6, 6),
        Scaling(),
        "floats",
        (-3.0, 3.0),
        None,
        "npz",
        outputs={"kind.softmax1": ("a", "b", "c"), "turn.tanh1": None},
    )
    y = {"kind": np.array([2]), "turn": np.array([[0.25, -0.75]])}
    subject = subject_of(text, noise(1, 6, 6), y, preparation=preparation)
    answers = opened(driver, tmp_path, subject, "turn.tanh1[1]")
    assert [h.text for h in answers.find_elements("css selector", "h3")] == ["kind.softmax1", "turn.tanh1"]
    assert "c ✓" in answers.text and "turn.tanh1[1]" in answers.text and "-0.75" in answers.text
    gradient = subject.look(subject.examples[0]).gradients["turn.tanh1"][0][1]
    said = driver.find_element("id", "back").text
    assert (
        "mse: 2 × (answered − right) / numbers = 2 × " in said and f"times its weight 0.5 = {gradient:.5g}" in said
    )


WHAT = {
    "conv 1x1x1 -> sigmoid\ntrain { cost binary_cross_entropy }": "mask",
    "conv 5x1x1 -> tanh\ntrain { cost mse }": "maps",
    "conv 1x1x1 -> tanh\ntrain { cost mse }": "image",
    "dense 4 -> sigmoid\ntrain { cost binary_cross_entropy }": "labels",
    "dense 4\ntrain { cost hinge }": "classes",
    "dense 4 -> logsoftmax": "classes",
    "dense 4\ntrain { cost mae }": "numbers",
    "gap -> softmax": "classes",
}  # fmt: skip


@pytest.mark.parametrize("text", WHAT)
def test_what_an_output_is(text):
    model = cnnspec.compile(text=f"input 2x4x4\n{text}")
    (output,) = model.graph.outputs
    assert kinds(model.graph, model.costs)[output]["as"] == WHAT[text]


@pytest.mark.parametrize(
    ("shape", "what"),
    [("1x5x5", "image"), ("3x5x5", "image"), ("2x5x5", "channels"), ("4x9", "sequence"), ("7", "numbers")],
)
def test_what_an_input_is(shape, what):
    model = cnnspec.compile(text=f"input {shape}\ndense 2 -> softmax")
    assert kinds(model.graph)["input"]["as"] == what
