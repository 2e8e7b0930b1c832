"""Workers and a caller who are late at random: each look at the words they share, and each write, may take time.

`install` is called in the process of the tests and in each worker; it changes no answer, only who is there first.
"""

from __future__ import annotations

import os
import random
import time

from cnnspec.runtime import call, words

RANDOM = random.Random()
LATE = 0.01  # of all writes
PARTS = ("forward", "backpropagate", "differentiate", "gather", "learn", "update_statistics")


def late(share=LATE):
    if RANDOM.random() < share:
        seconds = RANDOM.choice((0, 0, 0, 1e-5, 2e-4, 2e-3))
        time.sleep(seconds) if seconds else os.sched_yield()


class LateWords:
    """Words of shared memory that are read and written late."""

    def __init__(self, of):
        self.of = of

    def __len__(self):
        return len(self.of)

    def __getitem__(self, place):
        late(LATE / 20)
        found = self.of[place]
        return list(found) if isinstance(place, slice) else found

    def __setitem__(self, place, number):
        late()
        self.of[place] = number
        late()


def delayed(function):
    def call(*arguments, **named):
        late(0.1)
        found = function(*arguments, **named)
        late(0.1)
        return found

    return call


def install(seed, replace=setattr):
    """Be late from now on; `replace` puts something in the place of an attribute."""
    RANDOM.seed(seed)
    begin = words.Words.__init__

    def begun(self, *arguments):
        begin(self, *arguments)
        self.words = LateWords(self.words)

    replace(words.Words, "__init__", begun)
    for name in PARTS:
        replace(call.Call, name, delayed(getattr(call.Call, name)))
