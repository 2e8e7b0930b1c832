"""Signals that ask a command to end: which are ours to answer, when, and what they raise."""

import os
import signal

import pytest

from cnnspec.cli.outcome import finish
from cnnspec.interrupts import ENDING, OTHERS, Ended, Interrupts, leave_to_parent, listen

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")


@pytest.fixture(autouse=True)
def as_before():
    before = {number: signal.getsignal(number) for number in ENDING}
    yield
    for number, answer in before.items():
        signal.signal(number, answer)


@pytest.mark.parametrize("number", OTHERS)
def test_a_command_that_listens_is_ended_by_an_exception(number):
    listen()
    with pytest.raises(Ended) as ended:
        os.kill(os.getpid(), number)
    assert ended.value.number == number and str(ended.value) == signal.Signals(number).name


@pytest.mark.parametrize("number", ENDING)
@pytest.mark.parametrize("second", ENDING)
def test_the_first_is_noted_and_the_second_ends_at_once(number, second):
    listen()
    with pytest.raises(KeyboardInterrupt) as ended, Interrupts() as interrupts:
        assert not interrupts.asked()
        os.kill(os.getpid(), number)
        assert interrupts.seen == number and interrupts.asked()
        os.kill(os.getpid(), second)
    assert getattr(ended.value, "number", signal.SIGINT) == second
    with pytest.raises(KeyboardInterrupt):  # and afterwards everything is answered as before
        os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", OTHERS)
@pytest.mark.parametrize("answer", [signal.SIG_IGN, signal.SIG_DFL, lambda number, frame: None])
def test_what_is_ignored_or_somebody_else_s_stays_so(number, answer):
    """`nohup` ignores SIGHUP; a program that trains has answers of its own; without `listen` it just ends."""
    signal.signal(number, answer)
    if answer is not signal.SIG_DFL:
        listen()
    with Interrupts():
        assert signal.getsignal(number) is answer
    assert signal.getsignal(number) is answer


def test_a_process_that_works_for_another_leaves_them_to_it():
    leave_to_parent()
    for number in ENDING:
        os.kill(os.getpid(), number)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), *zip(OTHERS, (143, 129), strict=False)])
def test_the_exit_code_is_that_of_shells(capsys, number, code):
    listen()
    assert finish(lambda: os.kill(os.getpid(), number)) == code
    by = "" if number == signal.SIGINT else f" by {number.name}"
    assert capsys.readouterr().err == f"interrupted{by}\n"
