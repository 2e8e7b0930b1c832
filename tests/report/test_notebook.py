"""What a notebook shows of a graph, a model, a run, a training and a finding: valid, whole and harmless."""

from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest
from pictured import TEXTS

import cnnspec
from cnnspec.diagnostics import SpecError
from cnnspec.notebook import curves_svg
from cnnspec.train.folder import RunFolder
from cnnspec.train.history import EpochRecord, History

VOID = {"br", "meta", "img", "rect", "line", "polyline", "polygon", "path", "circle"}


class Balanced(HTMLParser):
    """Fails where tags are not closed in the order in which they were opened."""

    def __init__(self, text):
        super().__init__()
        self.open, self.texts = [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


@pytest.fixture
def model():
    return cnnspec.compile(text=TEXTS["one line"])


def test_a_graph_is_its_drawing(model):
    assert ElementTree.fromstring(model.graph._repr_svg_()).tag.endswith("svg")


def test_a_model_is_its_drawing_and_its_table(model):
    texts = Balanced(model._repr_html_()).texts
    assert {"conv1", "8x26x26", "13,530"} <= set(texts)
    assert any("steps taken" in text for text in texts)


def test_facts_are_a_table(model):
    assert Balanced(model.facts._repr_html_()).texts.count("conv1") == 1


def rows(count, accuracy=0.5):
    return tuple(
        EpochRecord(k + 1, 2.0 / (k + 1), accuracy, 2.5 / (k + 1), accuracy, 1e-3, 1.0, 100.0) for k in range(count)
    )


def test_a_history_is_its_curves():
    text = History(rows(4), best_epoch=3)._repr_html_()
    Balanced(text)
    svg = ElementTree.fromstring(text[text.index("<svg") : text.index("</svg>") + 6])
    lines = svg.findall(".//{*}polyline")
    assert len(lines) == 4 and all(len(line.get("points").split()) == 4 for line in lines)
    assert "best epoch 3 of 4" in text


@pytest.mark.parametrize("count", [0, 1])
def test_a_history_of_few_epochs_shows_what_there_is(count):
    Balanced(History(rows(count, accuracy=None), best_epoch=count)._repr_html_())


def test_a_single_epoch_is_a_point():
    assert curves_svg({"cost": [0.5], "validation_cost": [0.4]}).count("<circle") == 2
    assert "<circle" not in curves_svg({"cost": [0.5, 0.4]})


def test_a_run_is_its_curves_and_its_summary(tmp_path):
    folder = RunFolder.create(tmp_path, "a<b")
    folder.write_results(list(rows(3)))
    told = {"status": "finished", "test_accuracy": 0.93, "test_cost": 0.2, "epochs": 3, "spec_sha256": "0" * 64}
    folder.write_json("summary.json", {**told, "parameters": 9, "images_per_second": 1, "seconds": 1})
    texts = Balanced(folder._repr_html_()).texts
    assert "finished" in texts and "0.93" in texts
    folder.summary.write_text("{")
    assert "a-b-001" in folder._repr_html_() and "finished" not in folder._repr_html_()


def test_a_run_that_has_not_begun_shows_its_name(tmp_path):
    assert "here-001" in RunFolder.create(tmp_path, "here")._repr_html_()


def test_a_finding_is_its_marked_source():
    report = cnnspec.check(text="input 1x8x8\nconv 4x9x9 -> relu # <b>&\n")
    texts = Balanced(report.diagnostics[0]._repr_html_()).texts
    text = "".join(texts)
    assert "CNN103" in text and "^^^" in text and "conv 4x9x9 -> relu # <b>&" in text
    assert "\x1b" not in text


def test_a_check_shows_findings_or_the_network():
    wrong = cnnspec.check(text="input 1x8x8\nconv 4x9x9 -> relu\n")
    assert "CNN103" in wrong._repr_html_() and "<svg" not in wrong._repr_html_()
    right = cnnspec.check(text=TEXTS["one line"] + "\n")
    Balanced(right._repr_html_())
    assert "<svg" in right._repr_html_() and "13,530" in right._repr_html_()


def test_showing_needs_no_picture_library():
    with pytest.raises(SpecError):
        cnnspec.compile(text="conv 4xx")
    assert np.isfinite(len(cnnspec.check(text=TEXTS["one line"])._repr_html_()))
