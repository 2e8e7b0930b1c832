"""Who makes a call: all workers or the caller alone, by what took less time, told by a clock of the test."""

import pytest

from cnnspec.runtime.call import BRIEF, LATE, SPELLS, WAKING, Pace


def spells(pace, together, alone, count):
    """So many spells in which a call takes so long: who made each, A for the caller alone."""
    ways = ""
    for _ in range(count):
        way = pace.alone
        ways += "TA"[way]
        seconds, counted = alone if way else together, False
        while not counted or pace.calls:
            assert pace.alone == way
            pace.note(seconds)
            counted = counted or pace.calls > 0
    return ways


def busy(seconds=0.001):
    """The pace of a call that once took so long; now others want the processors."""
    pace = Pace()
    pace.note(seconds)
    return pace


def test_on_a_machine_that_is_free_all_workers_make_every_call():
    pace = busy()
    assert spells(pace, together=0.999 * LATE * 0.001, alone=0.0001, count=100) == "T" * 100


def test_where_workers_wait_for_one_another_the_caller_goes_on_alone_and_tries_them_again_ever_more_seldom():
    assert spells(busy(), together=0.005, alone=0.002, count=40) == (
        "T" + "A" + "A" + "T" + 2 * "A" + "T" + 4 * "A" + "T" + 8 * "A" + "T" + 8 * "A" + "T" + 8 * "A" + "T" + "A"
    )


def test_workers_who_are_quicker_even_so_go_on_and_the_other_way_is_tried_ever_more_seldom():
    ways = spells(busy(), together=0.002, alone=0.003, count=30)
    assert ways == "T" + "A" + 2 * "T" + "A" + 4 * "T" + "A" + 8 * "T" + "A" + 8 * "T" + "A" + 2 * "T"


def test_when_the_others_are_gone_all_workers_are_back_after_the_spells_between_two_trials():
    pace = busy()
    spells(pace, together=0.005, alone=0.002, count=200)
    ways = spells(pace, together=0.001, alone=0.0017, count=100)
    assert "A" not in ways[SPELLS[1] + 1 :]


def test_a_long_call_is_always_made_by_all():
    assert "A" not in spells(busy(1.01 * BRIEF), together=0.09, alone=0.001, count=50)


@pytest.mark.parametrize("late", [0.05, 5])
def test_one_late_call_is_soon_forgotten(late):
    pace = busy()
    spells(pace, together=0.001, alone=0.0017, count=1)
    pace.note(late)
    assert "A" not in spells(pace, together=0.001, alone=0.0017, count=100)[3:]


def test_the_first_moments_of_a_trial_in_which_workers_wake_up_tell_nothing():
    pace = busy()
    spells(pace, together=0.005, alone=0.002, count=2)
    while not pace.trying:
        pace.note(0.002)
    assert not pace.alone
    pace.note(1.01 * WAKING)  # of the calls that follow each takes less than the caller alone
    assert spells(pace, together=0.001, alone=0.002, count=1) == "T"
    assert not pace.alone and not pace.trying
