"""Names of generated source: each value its own, whatever it is called."""

import keyword
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cnnspec
from cnnspec.codegen.names import Names

ODD = ("conv²", "ﬁ", "__class__", "__dict__", "_", "ª", "٣", "lambda", "größe", "costs", "clock")


def test_a_value_keeps_its_name_where_it_can():
    names = Names(("costs",))
    assert [names[value] for value in ("conv1", "b.conv1:mask", "b_conv1_mask", "costs")] == [
        "conv1", "b_conv1_mask", "b_conv1_mask_2", "costs_2",
    ]  # fmt: skip


@given(st.lists(st.text(max_size=8) | st.sampled_from(ODD), max_size=12))
def test_every_name_is_one_of_python_and_of_one_value(values):
    names = Names(("costs",))
    given_names = {value: names[value] for value in values}
    for name in given_names.values():
        assert name.isidentifier() and not keyword.iskeyword(name) and not name.startswith("__")
        assert normalize("NFKC", name) == name and name != "costs"
    assert len(set(given_names.values())) == len(given_names)


@pytest.mark.parametrize("name", [name for name in ODD if name.isascii()])
def test_a_spec_may_use_every_name_that_it_can_write(name):
    with cnnspec.compile(text=f"input 4\ndense 4 as {name} -> tanh -> dense 2 -> softmax\n", batch=2) as model:
        assert model.predict([[1.0, 2, 3, 4]]).shape == (1, 2)
