"""Work on many files at once: in order, whatever happens to a worker."""

import os
import sys
import time

import pytest

from cnnspec.checking import many

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="workers are forked from this process here")


@pytest.fixture(autouse=True)
def two_processors(monkeypatch):
    monkeypatch.setattr(many, "processors", lambda: 2)


def double(number):
    time.sleep(0.001 * (number % 3))
    return os.getpid(), 2 * number


def fragile(number):
    if number in (13, 14, 77):
        os._exit(9)  # as the system's out-of-memory killer does
    return number


def lost(number):
    return f"lost {number}"


def test_results_come_in_order_from_several_processes():
    results = list(many.each(range(100), double, lost))
    assert [result for _, result in results] == [2 * number for number in range(100)]
    assert len({pid for pid, _ in results} - {os.getpid()}) == 2


def test_a_few_jobs_are_done_here():
    assert {pid for pid, _ in many.each(range(many.FEW - 1), double, lost)} == {os.getpid()}


def test_a_worker_that_dies_costs_its_own_job_alone():
    expected = [lost(number) if number in (13, 14, 77) else number for number in range(120)]
    assert list(many.each(range(120), fragile, lost)) == expected


def test_whoever_stops_listening_leaves_no_worker_behind():
    results = many.each(range(1000), double, lost)
    workers = {next(results)[0] for _ in range(30)} - {os.getpid()}
    results.close()
    for pid in workers:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
