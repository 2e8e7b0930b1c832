"""`record` is `@dataclass(frozen=True)`, only quicker to declare."""

import pickle
from dataclasses import FrozenInstanceError, dataclass, field, fields, is_dataclass, replace

import pytest

from cnnspec.record import record


def declare(decorator):
    @decorator
    class Base:
        """What the others share."""

        word = "base"
        size: int
        pad: str = "valid"

    @decorator
    class Derived(Base):
        """One more field, one with another default."""

        pad: str = "same"
        parts: tuple = field(default_factory=tuple)

        def __post_init__(self):
            if self.size < 0:
                raise ValueError(self.size)

        @property
        def twice(self):
            return 2 * self.size

    return Derived


Ours, Theirs = declare(record), declare(dataclass(frozen=True))


def outcome(work):
    try:
        return work()
    except Exception as error:
        return type(error)


@pytest.mark.parametrize(
    "work",
    [
        lambda cls: (cls(3).size, cls(3).pad, cls(3).parts, cls(3).twice),
        lambda cls: (cls(3, "x").pad, cls(size=3, parts=(1,)).parts),
        lambda cls: cls(3) == cls(3),
        lambda cls: cls(3) == cls(4),
        lambda cls: cls(3) == 3,
        lambda cls: hash(cls(3)) == hash(cls(3)),
        lambda cls: len({cls(1), cls(1), cls(2)}),
        lambda cls: replace(cls(3), pad="y").pad,
        lambda cls: replace(cls(3), size=-1),
        lambda cls: [f.name for f in fields(cls)],
        lambda cls: [f.default for f in fields(cls)][1],
        lambda cls: is_dataclass(cls),
        lambda cls: repr(cls(3)).rpartition(".")[2],
        lambda cls: cls(),
        lambda cls: cls(3, "x", (), 4),
        lambda cls: cls(3, size=4),
        lambda cls: cls(3, stride=4),
        lambda cls: cls(-1),
        lambda cls: setattr(cls(3), "size", 4),
        lambda cls: delattr(cls(3), "size"),
    ],
)
def test_does_what_a_frozen_dataclass_does(work):
    assert outcome(lambda: work(Ours)) == outcome(lambda: work(Theirs))


def test_assigning_is_refused_by_the_same_name():
    with pytest.raises(FrozenInstanceError):
        Ours(3).size = 4


def test_a_method_of_the_class_itself_stays():
    @record
    class Loose:
        """Equal to everything."""

        size: int

        def __eq__(self, other):
            return True

        def __hash__(self):
            return 0

    assert Loose(1) == Loose(2) == 3


def test_records_and_frozen_dataclasses_inherit_from_one_another():
    @record
    class First:
        """A record."""

        a: int

    @dataclass(frozen=True)
    class Second(First):
        b: int = 2

    @record
    class Third(Second):
        """A record of a dataclass of a record."""

        c: int = 3

    assert (Second(1).b, Third(1, 5).c) == (2, 3)
    assert Third(1) == Third(1) != Third(2)
    for thing in (First(1), Second(1), Third(1)):
        with pytest.raises(FrozenInstanceError):
            thing.a = 4


def test_records_can_be_sent_to_another_process():
    assert pickle.loads(pickle.dumps(Sent(3))) == Sent(3)


@record
class Sent:
    """At the top of a module, where pickle finds it."""

    size: int
