"""What came of a run, on its page: the measures of the summary, confusion, mistakes and filters, in every width."""

import json
from dataclasses import replace

import numpy as np
import pytest
from browser import complaints, requests, resize, show, start
from click.testing import CliRunner

import cnnspec
from cnnspec.cli import program
from cnnspec.data.dataset import Dataset, Split
from cnnspec.explain.mistakes import worst
from cnnspec.explain.subject import Example, Subject
from cnnspec.report.page import page
from cnnspec.report.page.numbers import NumberStore
from cnnspec.report.page.outcome import outcome

EVIL = ("</script><script>document.title='gone'</script>", "<b>bold</b>", "\u202eright to left" + "x" * 60)
SPEC = """conv 4x3x3 stride 2 -> bn -> relu -> conv 6x3x3 stride 2 -> relu -> dense 10 -> softmax
data { limit 300 }
train { epochs 2 ; batch 100 }
"""


def split(count, shape=(1, 6, 6), seed=0):
    generator = np.random.default_rng(seed)
    return Split(generator.integers(0, 256, (count, *shape), dtype=np.uint8), generator.integers(0, 3, count))


def dataset(test, classes=("a", "b", "c")):
    empty = Split(test.x[:0], test.y[:0])
    return Dataset("some", test, empty, test, classes)


# ---- the worst mistakes ----------------------------------------------------------------------------------


def test_the_worst_mistakes_are_those_whose_class_is_given_least():
    model = cnnspec.compile(text="input 1x6x6\ndense 3 -> softmax", batch=7)
    data = dataset(split(40))
    p, y = model.predict(data.test.arrays()[0]), data.test.y
    wrong = [k for k in range(40) if p[k].argmax() != y[k]]
    wanted = sorted(wrong, key=lambda k: p[k, y[k]])
    found = worst(model, data, most=5)
    assert [one.place for one in found] == wanted[:5]
    for one in found:
        k, said = one.place, int(p[one.place].argmax())
        assert one.said == f"{'abc'[y[k]]} taken for {'abc'[said]}, {p[k, said]:.0%}"
        np.testing.assert_array_equal(one.image, data.test.x[k])


def test_numbers_are_missed_by_more_or_less():
    model = cnnspec.compile(text="input 4\ndense 2", batch=8)
    generator = np.random.default_rng(1)
    test = Split(generator.normal(size=(20, 4)).astype("f4"), generator.normal(size=(20, 2)).astype("f4"))
    found = worst(model, dataset(test, None), most=3)
    error = np.abs(model.predict(test.x) - test.y).max(axis=1)
    assert [one.place for one in found] == np.argsort(-error)[:3].tolist()


@pytest.mark.parametrize("outputs", [1, 3])
def test_masks_are_shown_by_the_share_of_their_pixels_that_is_wrong(outputs):
    end = f"conv {outputs}x3x3 pad same -> {'softmax' if outputs > 1 else 'sigmoid'}"
    model = cnnspec.compile(text=f"input 1x6x6\n{end}", batch=4)
    y = np.random.default_rng(2).integers(0, max(2, outputs), (15, 6, 6))
    data = dataset(Split(split(15).x, y))
    p = model.predict(data.test.arrays()[0])
    said = p.argmax(axis=1) if outputs > 1 else (p[:, 0] > 0.5).astype(int)
    share = (said != y).mean(axis=(1, 2))
    found = worst(model, data, most=9)
    assert [one.place for one in found] == np.argsort(-share, kind="stable")[:3].tolist()
    for one in found:
        assert one.said == f"{share[one.place]:.1%} of its pixels wrong"
        np.testing.assert_array_equal(one.masks, [y[one.place], said[one.place]])
    numbers = NumberStore()
    told = outcome(model, found, numbers)
    assert [mask["shape"] for mask in told["mistakes"][0]["masks"]] == [[6, 6], [6, 6]]


def test_a_network_that_is_always_right_has_none():
    model = cnnspec.compile(text="input 3\ndense 3 bias off -> softmax")
    model.parameters["dense1.weight"] = np.eye(3) * 9
    y = np.arange(9) % 3
    assert worst(model, dataset(Split(np.eye(3, dtype="f4")[y], y))) == ()
    assert worst(model, dataset(Split(np.eye(3, dtype="f4")[:0], y[:0]))) == ()


def test_pictures_are_bytes_from_the_darkest_to_the_brightest_and_no_larger_than_needed():
    model = cnnspec.compile(text="input 3x200x100\nconv 2x3x3 stride 9 -> gap -> dense 3 -> softmax", batch=8)
    numbers = NumberStore()
    told = outcome(model, worst(model, dataset(split(12, (3, 200, 100)))), numbers)
    assert told["mistakes"] and all(one["picture"]["shape"] == [3, 67, 50] for one in told["mistakes"])
    pixels = np.frombuffer(numbers.parts[1][0], np.uint8)
    assert pixels.min() == 0 and pixels.max() == 255
    (kernels,) = told["filters"]
    assert kernels["name"] == "conv1" and kernels["shape"] == [2 * 4 - 1, 3 * 4 - 1]
    assert kernels["largest"] == pytest.approx(np.abs(model.parameters["conv1.weight"]).max())


# ---- the page of a run ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    (folder / "net.cnn").write_text(SPEC)
    arguments = ["run", str(folder / "net.cnn"), "--workers", "1", "--out", str(folder / "runs")]
    result = CliRunner().invoke(program, arguments, standalone_mode=False)
    assert result.exception is None, result.exception
    return folder / "runs" / "net-001"


def content(path):
    text = path.read_text(encoding="utf-8")
    return json.loads(text.partition('id="content">')[2].partition("</script>")[0])


def test_a_run_writes_its_page(run):
    told = content(run / "report.html")
    summary = json.loads((run / "summary.json").read_text(encoding="utf-8"))
    assert told["training"]["summary"] == summary and told["training"]["columns"]["validation_f1"]
    assert 0 < len(told["results"]["mistakes"]) <= 24 and len(told["results"]["filters"]) == 2
    assert sum(map(sum, summary["test"]["confusion"])) == 300


def test_what_fails_of_the_page_is_told_and_undoes_nothing(run, monkeypatch):
    from cnnspec.experiment.session import reopen
    from cnnspec.report import finished

    session, model = reopen(run)
    monkeypatch.setattr(finished, "find_spec", lambda name: None)
    assert finished.illustrate(run, session, model) == ()
    monkeypatch.setattr(finished, "page", lambda subject: 1 / 0)
    assert finished.illustrate(run, session, model) == ("ZeroDivisionError: division by zero",)
    monkeypatch.undo()
    monkeypatch.setattr(finished, "find_spec", lambda name: None)
    assert "cannot write" in finished.illustrate(run / "nowhere", session, model)[0]


@pytest.fixture(scope="module")
def driver():
    made = start()
    yield made
    made.quit()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1300])
def test_the_page_in_each_light_and_width(driver, run, width, scheme):
    resize(driver, width, scheme=scheme)
    show(driver, run / "report.html")
    assert complaints(driver) == [] and len(requests(driver)) == 1
    assert driver.execute_script("return document.documentElement.scrollWidth") <= width
    summary = json.loads((run / "summary.json").read_text(encoding="utf-8"))
    figures = driver.find_element("css selector", ".figures").text
    for share in (summary["test_accuracy"], summary["test"]["f1"]):
        assert f"{100 * share:.2f} %" in figures
    cells = "return [...document.querySelectorAll('.confusion td')].map(cell => cell.textContent)"
    shown = [0 if cell == "·" else int(cell) for cell in driver.execute_script(cells)]
    assert shown == np.ravel(summary["test"]["confusion"]).tolist()
    faint = """return [...document.querySelectorAll('.confusion td')].filter(cell => {
        const style = getComputedStyle(cell); return style.color === style.backgroundColor; }).length"""
    assert driver.execute_script(faint) == 0


def page_of(tmp_path, names):
    """The page of a run with so many classes."""
    count = len(names)
    model = cnnspec.compile(text=f"input 1x6x6\nconv 2x3x3 -> dense {count} -> softmax")
    y = np.arange(2 * count) % count
    data = dataset(Split(split(2 * count).x, y), names)
    each = {"count": 2, "precision": 0.5, "recall": None, "f1": 0.25}
    confusion = np.eye(count, dtype=int).tolist()
    confusion[0][1] = 7
    test = {"accuracy": 0.5, "classes": [{"name": name, **each} for name in names], "confusion": confusion}
    summary = {
        "status": "finished", "epochs": 1, "parameters": 1, "seconds": 1.0, "spec_sha256": "0" * 64,
        "test_accuracy": 0.5, "test_cost": 1.0, "images_per_second": None, "test": test,
    }  # fmt: skip
    (tmp_path / "summary.json").write_text(json.dumps(summary))
    x = data.test.arrays()[0][:1]
    example = Example("image", model.arrays(x, y[:1]), 0)
    subject = Subject("net", model, (example,), names, tmp_path, worst(model, data))
    path = tmp_path / "page.html"
    path.write_text(page(subject), encoding="utf-8")
    return path


def test_names_of_classes_stay_text(driver, tmp_path):
    resize(driver, 360)
    show(driver, page_of(tmp_path, EVIL))
    assert driver.title == "net" and complaints(driver) == []
    assert driver.find_elements("css selector", "#results b") == []
    heads = driver.find_elements("css selector", "#by-class th[scope=row]")
    assert [head.get_attribute("textContent") for head in heads] == list(EVIL)
    assert driver.execute_script("return document.documentElement.scrollWidth") <= 360


def test_many_classes_are_a_picture_and_their_commonest_mistakes(driver, tmp_path):
    resize(driver, 1000)
    show(driver, page_of(tmp_path, tuple(f"class {k}" for k in range(40))))
    assert driver.find_elements("css selector", ".confusion") == []
    assert len(driver.find_elements("css selector", "#confusion canvas")) == 1
    rows = driver.find_elements("css selector", "#confusion .grid tr")
    assert rows[1].text.split() == ["class", "0", "class", "1", "7"] and len(rows) == 2
    assert complaints(driver) == []


def test_a_spec_that_was_never_run_has_no_results(driver, tmp_path):
    model = cnnspec.compile(text="input 4\ndense 3 -> softmax")
    example = Example("numbers", model.arrays(np.ones((1, 4)), np.array([0])), 0)
    path = tmp_path / "page.html"
    path.write_text(page(replace(Subject("net", model, (example,)))), encoding="utf-8")
    show(driver, path)
    assert not driver.find_element("id", "results").is_displayed() and complaints(driver) == []


def test_a_mask_is_shown_beside_its_answer_in_the_colours_of_classes(driver, tmp_path):
    model = cnnspec.compile(text="input 1x6x6\nconv 3x3x3 pad same -> softmax", batch=4)
    y = np.random.default_rng(2).integers(0, 3, (6, 6, 6))
    data = dataset(Split(split(6).x, y))
    found = worst(model, data)
    x = data.test.arrays()[0][:1]
    subject = Subject("net", model, (Example("image", model.arrays(x, y[:1])),), (), tmp_path, found)
    path = tmp_path / "page.html"
    path.write_text(page(subject), encoding="utf-8")
    show(driver, path)
    assert complaints(driver) == []
    assert len(driver.find_elements("css selector", ".mistake canvas")) == 3 * len(found)
    colours = driver.execute_script(
        """const canvas = document.querySelectorAll('.mistake canvas')[1];
        return [...canvas.getContext('2d').getImageData(0, 0, 6, 6).data]"""
    )
    palette = np.array([[0, 0, 0], [128, 0, 0], [0, 128, 0]])
    np.testing.assert_array_equal(np.reshape(colours, (6, 6, 4))[..., :3], palette[y[found[0].place]])
