"""The course: its specs are right, and each exercise takes an answer that is right and refuses one that is not."""

import re
from html.parser import HTMLParser

import pytest
from browser import complaints, resize, start
from lab import Lab, served

import cnnspec
from cnnspec.lab.front import answer
from cnnspec.lab.lesson import changed, spec_text
from cnnspec.lab.lessons import LESSONS
from cnnspec.lab.teacher import teacher

QUICK = ("shape", "figure", "make", "cost", "dead", "gradient")
BY_NAME = {lesson.name: lesson for lesson in LESSONS}
NUMBERED = [(lesson.name, k) for lesson in LESSONS for k in range(len(lesson.exercises))]
SLOW = pytest.mark.slow
SECOND = ("5-cost-and-backprop", 1)  # of its kind
EXERCISES = [  # those that need no training, and those that do, which take minutes
    pytest.param(*one, marks=[] if BY_NAME[one[0]].exercises[one[1]]["kind"] in QUICK and one != SECOND else SLOW)
    for one in NUMBERED
]
# what is written in place of a piece of the lesson's text, where an exercise wants another text
WRITTEN = {
    ("2-stride-and-padding", 2): [
        ("conv 16x3x3 stride 2 pad 1 -> relu  # 16x7x7", "conv 16x3x3 stride 3 pad 1 -> relu"),
    ],
    ("3-pooling", 2): [
        ("maxpool 2      ", "conv 8x2x2 stride 2 -> relu  "), ("maxpool 2  #", "conv 16x2x2 stride 2 -> relu  #"),
    ],
    ("4-receptive-field", 1): [
        ("conv 8x3x3 pad same -> relu  # sees 5x5", "conv 8x3x3 dilate 5 pad same -> relu"),
        ("maxpool 2", "maxpool 3"),
    ],
    ("6-optimisers", 1): [("sgd lr 0.01", "adam lr 5e-3"), ("batch 64", "batch 16")],
    ("7-normalisation-and-dropout", 1): [("epochs 6", "epochs 4 ; schedule cosine"), ("-> dropout 30%", "")],
    ("8-residuals-and-overfitting", 2): [
        ("5x3x3", "12x3x3"), ("residual(5)", "residual(12)"), ("epochs 5", "epochs 12"),
    ],
}  # fmt: skip


def test_there_are_eight_lessons_and_twenty_exercises():
    assert len(LESSONS) == 8 and len(NUMBERED) == 20
    assert len({lesson.name for lesson in LESSONS}) == 8


@pytest.mark.parametrize("name", BY_NAME)
def test_its_spec_is_right_and_its_questions_are_about_texts_that_are(name):
    lesson = BY_NAME[name]
    assert cnnspec.check(text=spec_text(lesson)).diagnostics == ()
    for exercise in lesson.exercises:
        if "change" in exercise:
            assert spec_text(lesson).count(exercise["change"][0]) == 1
        network = answer({"ask": "check", "text": changed(lesson, exercise)})["network"]
        names = {layer["name"] for layer in network["told"]["layers"]}
        assert {exercise[key] for key in ("of", "relu") if key in exercise} <= names


class Texts(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.texts = [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)

    def handle_data(self, data):
        self.texts.append(data)


def test_teachers_have_every_answer_on_a_page_without_scripts():
    seen = Texts()
    seen.feed(teacher())
    assert "script" not in seen.tags and seen.tags.count("section") == 8 and seen.tags.count("li") == 20
    said = " ".join(seen.texts)
    assert "12x22x22" in said and "903,168" in said and "2.30" in said and "class" in said


# ---- in the page -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lab():
    driver = start()
    resize(driver, 1400, 900)
    with served() as server:
        yield Lab(driver, server.address)
    assert complaints(driver) == []
    driver.quit()


def opened(lab, name):
    """A lesson as it begins."""
    lab.choose("specs", name)
    lab.until(lambda: spec_text(BY_NAME[name]) == lab.js("return document.getElementById('text').value"))
    lab.ready()


def judged(lab, k, fields=()):
    """What the page says of an answer: whether it is right, and its words."""
    form = lab.js("return document.querySelectorAll('#exercises form')[arguments[0]]", k)
    for field, value in fields:
        lab.js("arguments[0].elements[arguments[1]].value = arguments[2]", form, field, value)
    lab.js("arguments[0].querySelector('[role=status]').textContent = ''; arguments[0].requestSubmit()", form)
    said = lab.until(lambda: lab.js("return arguments[0].querySelector('[role=status]').textContent", form))
    return lab.js("return arguments[0].querySelector('[role=status]').className", form) == "good", said


def wrote(lab, text):
    lab.js(
        "const area = document.getElementById('text'); area.value = arguments[0];"
        "area.dispatchEvent(new Event('input'))",
        text,
    )
    lab.ready()
    assert "error" not in lab.text("verdict")


@pytest.mark.parametrize(("name", "k"), EXERCISES)
def test_an_exercise_takes_what_is_right_and_nothing_else(lab, name, k):
    opened(lab, name)
    lesson = BY_NAME[name]
    exercise = lesson.exercises[k]
    kind = exercise["kind"]
    if kind in ("shape", "figure", "cost"):
        right = right_answer(lesson, exercise)
        for wrong in ("", "0", "1x1x1", "-1", "x"):
            assert not judged(lab, k, [("answer", wrong)])[0]
        assert judged(lab, k, [("answer", right)])[0]
    elif kind == "dead":
        lab.find("#tab-train").click()
        lab.find("#anew").click()
        lab.trained("one-step")
        empty = lab.js(
            "const pixels = (made) => made.getContext('2d').getImageData(0, 0, made.width, made.height).data;"
            "return [...document.querySelectorAll('#live .row[aria-label^=relu1] canvas')]"
            ".map((canvas) => new Set(pixels(canvas).filter((_, i) => i % 4 !== 3)).size === 1)"
        )
        assert empty.count(True) == 1, "one channel shows nothing"
        found = empty.index(True)
        assert not judged(lab, k, [("answer", str((found + 1) % len(empty)))])[0]
        assert not judged(lab, k, [("answer", "")])[0]
        assert judged(lab, k, [("answer", str(found))])[0]
    elif kind == "gradient":
        assert not judged(lab, k, [("answer", "conv1")])[0] and not judged(lab, k, [("answer", "relu1[0,0,0]")])[0]
        assert not judged(lab, k, [("answer", "conv1[99,0,0]")])[0]
        seen = {}
        for place in (f"conv1[{c},{i},{i}]" for c in range(4) for i in (0, 9, 12)):
            for why in ("relu", "pool"):
                seen[place, why] = judged(lab, k, [("answer", place), ("why", why)])[0]
        taken = [why for (_, why), right in seen.items() if right]
        assert {"relu", "pool"} & set(taken) and taken and len(taken) < len(seen)
        assert not any(seen[place, "relu"] and seen[place, "pool"] for place, _ in seen), "one reason each"
    elif kind == "rate":
        assert not judged(lab, k)[0]
        lab.choose("rate", "0.5", "input")
        lab.trained("one-epoch", 300)
        assert judged(lab, k)[0], judged(lab, k)
    else:  # another text, and where it says so a training
        assert not judged(lab, k)[0]
        text = spec_text(lesson)
        for before, after in WRITTEN.get((name, k), ()):
            assert before in text
            text = text.replace(before, after)
        wrote(lab, text)
        if kind == "reach":
            lab.trained("start", 280)
        assert judged(lab, k)[0], judged(lab, k)


def right_answer(lesson, exercise):
    """By the compiler's own summary, which the page does not use."""
    facts = cnnspec.check(text=changed(lesson, exercise)).summary
    if exercise["kind"] == "cost":
        return "2.30"
    if "of" not in exercise:
        return f"{facts.parameters:,}"
    row = next(row for row in facts.rows if row.name == exercise["of"])
    if exercise["kind"] == "shape":
        return re.sub("x", " x ", str(row.type))
    known = {"count": row.parameters, "macs": row.macs, "sees": row.field and row.field[0].seen}
    return str(known[exercise["what"]])
