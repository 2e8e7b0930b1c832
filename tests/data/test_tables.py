"""Tables as people keep them: with a header or without, of texts and numbers, with cells that are missing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnspec.data.asked.single import read_inputs
from cnnspec.data.known import describe
from cnnspec.data.load import load
from cnnspec.data.preparation import Preparation, preparation_of
from cnnspec.diagnostics import SpecError
from cnnspec.settings.data import Csv, Data

WHOLE = {"validation": 0.0}
SHOP = "id,colour,price,size,kind\n1,red,2.5,,a\n2,blue,,7,b\n3,red,1,5,a\n4,green,4,3,b\n"


def read(folder, text, **settings):
    (folder / "a.csv").write_text(text, encoding="utf-8")
    data = Data(source=Csv("a.csv", **{"test": 0.0, **settings}), **WHOLE)
    known, found = describe(data, folder), load(data, root=folder)
    assert (known.input, known.classes) == (found.input_type, found.classes)
    return found


@pytest.mark.parametrize(
    "text, names",
    [
        ("a,b,kind\n1,2,x\n3,4,y\n", ("a", "b")),
        ("1,2,x\n3,4,x\n", ()),
        ("1,2,3\n3,4,5\n", ()),
        ("a,2020,2021,kind\n1,2,3,x\n3,4,5,y\n", ("a", "2020", "2021")),
        ("x,y,kind\nred,big,a\nblue,small,b\n", ("x", "y")),
        ("red,big,a\nblue,small,b\nred,small,b\n", ()),
        ("0,1,2,kind\n5,6,7,x\n5,6,7,y\n", ("0", "1", "2")),
        ("0,1,2,x\n5,6,7,x\n5,6,7,y\n", ()),
        ("?,2,x\n3,4,x\n", ()),
        (",2,x\n3,4,x\n", ()),
        ("a,b,kind\n,2,x\n3,4,y\n", ("a", "b")),
    ],
)
def test_a_header_is_noticed(tmp_path, text, names):
    assert read(tmp_path, text, missing="mean").table.names == names


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.floats(-1e6, 1e6, width=32), min_size=2, max_size=5),
    st.integers(2, 30),
    st.sampled_from([("yes", "no"), ("0", "1"), ("1.5", "2.5")]),
    st.integers(0, 5),
)
def test_no_row_of_numbers_is_taken_for_names_nor_names_for_a_row(tmp_path_factory, first, count, labels, at):
    folder = tmp_path_factory.mktemp("t")
    at = min(at, len(first))
    rows = [[repr(value + i) for value in first] for i in range(count)]
    for i, row in enumerate(rows):
        row.insert(at, labels[i // 2 % 2])
    body = "".join(",".join(row) + "\n" for row in rows)
    names = ",".join(f"c{i}" for i in range(len(first) + 1)) + "\n"
    for text, header in ((body, False), (names + body, True)):
        (folder / "a.csv").write_text(text)
        found = load(Data(source=Csv("a.csv", at + 1, test=0.0), **WHOLE), root=folder)
        assert len(found.train) == count and found.table.header == header


def test_texts_become_a_number_for_each_category(tmp_path):
    found = read(tmp_path, SHOP, drop="id, size", missing="mean")
    assert found.table.categories == (("blue", "green", "red"), None)
    np.testing.assert_allclose(found.train.x, [[0, 0, 1, 2.5], [1, 0, 0, 2.5], [0, 0, 1, 1], [0, 1, 0, 4]])


def test_columns_are_chosen_by_names_numbers_and_ranges(tmp_path):
    for chosen in ({"columns": "price, size"}, {"columns": "3-4"}, {"columns": "size,3"}, {"drop": "colour, 1"}):
        found = read(tmp_path, SHOP, missing="mean", **chosen)
        assert found.table.names == ("price", "size")
    assert read(tmp_path, SHOP, columns="id", label="colour").classes == ("blue", "green", "red")


def test_numbers_may_name_categories(tmp_path):
    found = read(tmp_path, "zip,kind\n10,x\n9,y\n10,y\n", categories="zip")
    assert found.table.categories == (("9", "10"),) and found.train.x.tolist() == [[0, 1], [1, 0], [0, 1]]


def test_rows_with_a_gap_are_left_out_where_the_column_is_used(tmp_path):
    assert read(tmp_path, SHOP, drop="id", missing="drop").train.x[:, 2:].tolist() == [[1, 5], [4, 3]]
    assert len(read(tmp_path, SHOP, columns="id", missing="drop").train) == 4
    assert len(read(tmp_path, SHOP.replace("red,2.5", ",2.5"), columns="colour", missing="drop").train) == 3
    assert len(read(tmp_path, SHOP.replace(",a\n", ",\n", 1), columns="id", missing="drop").train) == 3


def test_means_are_those_of_the_training_rows_alone(tmp_path):
    """What is kept for the test must not tell of itself through a mean."""
    rows = "".join(f"{'' if i % 4 == 0 else i * i},{i % 2}\n" for i in range(40))
    found = read(tmp_path, "a,kind\n" + rows, missing="mean", test=0.5)
    squares = {i * i for i in range(40)}
    known = [x for (x,) in found.train.x.tolist() if x in squares]
    (mean,) = found.table.fill
    assert mean == pytest.approx(np.mean(known)) and len(known) < 25
    missing = {x for part in (found.train, found.test) for (x,) in part.x.tolist()} - squares
    assert missing == {np.float32(mean)}


def test_a_row_that_is_asked_is_read_as_training_was(tmp_path):
    found = read(tmp_path, SHOP, drop="id", missing="mean")
    kept = preparation_of(found, Data(source=Csv("a.csv")))
    kept = Preparation.from_json(kept.to_json(), "a run")
    assert kept.table == found.table
    (tmp_path / "ask.csv").write_text("size,colour,price\n,red,\n3,,2\n")
    x, _ = read_inputs(tmp_path / "ask.csv", kept)
    np.testing.assert_allclose(x, [[0, 0, 1, 2.5, 5], [0, 0, 0, 2, 3]])
    (tmp_path / "ask.csv").write_text("size,colour,price\n1,mauve,2\n")
    with pytest.raises(SpecError, match="CNN432.*line 2, column 2 of ask.csv: `mauve` is no category") as caught:
        read_inputs(tmp_path / "ask.csv", kept)
    assert caught.value.diagnostics[0].help == "it had blue, green, red"


def test_a_table_without_names_is_asked_by_the_places_of_its_columns(tmp_path):
    found = read(tmp_path, "7,red,1,x\n8,blue,2,y\n9,red,3,x\n", drop="1")
    kept = preparation_of(found, Data(source=Csv("a.csv")))
    for row in ("red,2", "7,red,2", "7,red,2,x"):
        (tmp_path / "ask.csv").write_text(row + "\n")
        assert read_inputs(tmp_path / "ask.csv", kept)[0].tolist() == [[0, 1, 2]]


def test_another_table_is_tested_with_the_categories_and_means_of_training(tmp_path):
    found = read(tmp_path, SHOP, drop="id", missing="mean")
    (tmp_path / "b.csv").write_text("kind,size,price,colour\na,,,red\nb,1,1,blue\n")
    source = Csv("b.csv", "kind", test=0.0, missing="mean")
    other = load(Data(source=source, **WHOLE), root=tmp_path, table=found.table)
    np.testing.assert_allclose(other.train.x, [[0, 0, 1, 2.5, 5], [1, 0, 0, 1, 1]])
    assert other.table.categories == found.table.categories


def test_columns_and_drop_exclude_each_other():
    from cnnspec.diagnostics import Fault

    with pytest.raises(Fault, match="`drop` has nothing to add"):
        Csv("a.csv", columns="a", drop="b")


def test_tables_of_their_own_for_validation_and_test(tmp_path):
    (tmp_path / "v.csv").write_text("kind,size,price,colour,id\nb,,1,red,9\n")
    (tmp_path / "t.csv").write_text("id,colour,price,size,kind\n7,blue,2,3,a\n8,red,2,3,b\n")
    more = {"validation_file": "v.csv", "test_file": "t.csv", "drop": "id", "missing": "mean"}
    found = read(tmp_path, SHOP, **more)
    assert found.validation.x.tolist() == [[0, 0, 1, 1, 5]] and found.validation.y.tolist() == [1]
    assert [len(part) for part in (found.train, found.validation, found.test)] == [4, 1, 2]
    assert found.test.y.tolist() == [0, 1] and "1 from v.csv for validation, 2 from t.csv" in found.told
    known = describe(Data(source=Csv("a.csv", **more), validation=0.0), tmp_path)
    assert known.test and known.validation
    for text, code in (("id,colour,price,size,kind\n7,blue,2,3,c\n", "CNN410"), ("a,kind\n1,a\n", "CNN418"),
                       ("id,colour,price,size,kind\n7,mauve,2,3,a\n", "CNN432")):  # fmt: skip
        (tmp_path / "t.csv").write_text(text)
        with pytest.raises(SpecError, match=code):
            load(Data(source=Csv("a.csv", **more)), root=tmp_path)
    (tmp_path / "t.csv").unlink()
    assert describe(Data(source=Csv("a.csv", **more)), tmp_path) is None
