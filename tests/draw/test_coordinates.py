"""Parallel coordinates of a sweep: what becomes an axis, where values stand, which line is the best."""

from xml.etree import ElementTree

from cnnspec.draw.coordinates import TrialAxis, axes_of, svg

TRIALS = [
    ["w=8", "train.optimiser=adam lr 0.1", "train.batch=8"],
    ["w=2", "train.optimiser=sgd lr 0.001 momentum 0.9", "train.batch=8"],
    ["w=4", "train.optimiser=adam lr 0.01", "train.batch=8"],
]


def test_what_differs_between_trials_has_an_axis():
    found = {axis.name: axis.values for axis in axes_of(TRIALS)}
    assert found == {
        "w": (8.0, 2.0, 4.0),
        "optimiser": ("adam", "sgd", "adam"),
        "optimiser lr": (0.1, 0.001, 0.01),
        "optimiser momentum": (None, 0.9, None),
    }


def test_words_stay_whole_and_numbers_among_words_are_words():
    found = axes_of(
        [['data.source=npz "a,b.npz"', "train.patience=3"], ["data.source=digits", "train.patience=none"]]
    )
    assert [axis.values for axis in found] == [('npz "a,b.npz"', "digits"), ("3", "none")]


def test_numbers_of_many_sizes_stand_by_their_logarithms():
    assert TrialAxis("lr", (0.1, 0.001, 0.01)).places() == [1.0, 0.0, 0.5]
    assert TrialAxis("w", (8.0, 2.0, 4.0)).places() == [1.0, 0.0, 1 / 3]
    assert TrialAxis("w", (0.0, 100.0, None)).places() == [0.0, 1.0, None]
    assert TrialAxis("optimiser", ("sgd", "adam", None)).places() == [1.0, 0.0, None]
    assert TrialAxis("w", (3.0, 3.0)).places() == [0.5, 0.5]


def test_the_best_line_is_drawn_last_and_a_trial_without_a_score_not_at_all():
    names = ["trial <1>", "trial 2", "trial 3"]
    for least, best in ((False, "trial <1>"), (True, "trial 3")):
        text = svg(axes_of(TRIALS), TrialAxis("accuracy", (0.9, None, 0.8)), names, least)
        lines = ElementTree.fromstring(text).findall("{*}polyline")
        assert [line.get("stroke-width") for line in lines] == ["1.5", "3"]
        assert lines[-1].findtext("{*}title") == best
