"""What a network was fed: kept as JSON, and done again to what it is given later."""

import json

import numpy as np
import pytest

from cnnspec.data.as_trained import prepared_as
from cnnspec.data.asked.single import arranged, read_inputs
from cnnspec.data.dataset import Scaling, TableSchema
from cnnspec.data.load import load
from cnnspec.data.preparation import Preparation, preparation_of
from cnnspec.diagnostics import Fault, SpecError
from cnnspec.settings.data import Csv, Data, Npz
from cnnspec.validation import fault_of

RANDOM = np.random.default_rng(0)


def dataset(tmp_path, x, y=None, axes=None, normalise=False):
    y = np.arange(len(x)) % 2 if y is None else y
    np.savez(tmp_path / "d.npz", x=x, y=y)
    settings = Data(source=Npz("d.npz", axes=axes), normalise=normalise, validation=0)
    found = load(settings, root=tmp_path)
    return found, preparation_of(found, settings)


KINDS = {
    "bytes": RANDOM.integers(0, 256, (20, 2, 5, 4)).astype(np.uint8),
    "int16": RANDOM.integers(-900, 900, (20, 2, 5, 4)).astype(np.int16),
    "int64 from 0 to 255": RANDOM.integers(0, 256, (20, 2, 5, 4)),
    "big-endian floats": RANDOM.normal(50, 10, (20, 2, 5, 4)).astype(">f4"),
    "float64": RANDOM.normal(-3, 1e-3, (20, 2, 5, 4)),
    "float16": RANDOM.normal(0, 1, (20, 2, 5, 4)).astype(np.float16),
    "booleans": RANDOM.random((20, 2, 5, 4)) > 0.5,
}


@pytest.mark.parametrize("normalise", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_an_array_is_prepared_as_training_data_of_its_type_were(tmp_path, kind, normalise):
    x = KINDS[kind]
    found, kept = dataset(tmp_path, x, normalise=normalise)
    np.save(tmp_path / "x.npy", x)
    again = Preparation.from_json(json.loads(json.dumps(kept.to_json())), "settings.json")
    assert again == kept and fault_of(kept.to_json(), "preparation") is None
    seen, word = read_inputs(tmp_path / "x.npy", again)
    assert word == "" and seen.dtype == np.float32
    for split in (found.train, found.test):
        fed = split.arrays()[0]
        rows = [k for image in split.x for k in range(20) if (x[k].astype(split.x.dtype) == image).all()]
        assert np.array_equal(seen[rows], fed), "to the last bit"
    if normalise:
        learned = found.train.arrays()[0]
        assert abs(learned.mean((0, 2, 3))).max() < 1e-2 and abs(learned.std((0, 2, 3)) - 1).max() < 1e-2


BYTES, UNIT, WIDE = KINDS["bytes"], RANDOM.random((20, 2, 5, 4)), RANDOM.normal(0, 1, (20, 2, 5, 4))


@pytest.mark.parametrize(
    "trained, given, as_if",
    [
        pytest.param(BYTES, BYTES.astype(np.int64), BYTES, id="bytes: whole numbers are bytes"),
        pytest.param(BYTES, BYTES.astype(np.float64), BYTES, id="bytes: whole floats are bytes"),
        pytest.param(BYTES, BYTES / 255, BYTES, id="bytes: floats to 1 are bytes / 255"),
        pytest.param(BYTES, BYTES > 99, np.uint8(255) * (BYTES > 99), id="bytes: booleans are black and white"),
        pytest.param(UNIT, BYTES, BYTES / 255, id="floats to 1: bytes are divided by 255"),
        pytest.param(
            BYTES.astype(np.float32), BYTES, BYTES.astype(np.float32), id="floats to 255: bytes as they are"
        ),
        pytest.param(
            WIDE, np.ones((1, 2, 5, 4), int), np.ones((1, 2, 5, 4)), id="floats: whole numbers as they are"
        ),
    ],
)
def test_numbers_of_another_type_are_taken_in_the_one_way_there_is(tmp_path, trained, given, as_if):
    _, kept = dataset(tmp_path, trained, normalise=True)
    seen, _ = kept.apply(given, "it")
    expected, word = kept.apply(as_if, "it")
    assert np.allclose(seen, expected, atol=1e-5) and word == ""


@pytest.mark.parametrize(
    "trained, given, told",
    [
        (BYTES, WIDE, "holds float64 from -"),
        (BYTES, BYTES.astype(np.int64) + 1000, "from 1000 to 1255, and the network was trained on bytes"),
        (BYTES, np.full((1, 2, 5, 4), 0.5) * 100.5, "50.25"),
        (BYTES, np.array([-1]), "from -1 to -1"),
        (WIDE, BYTES, "holds bytes, and the network was trained on floats from -"),
        (UNIT * 16, BYTES, "holds bytes, and the network was trained on floats from 0."),
        (BYTES, np.array(["a"]), "not numbers"),
        (BYTES, np.zeros(3, complex), "not numbers"),
    ],
)
def test_numbers_that_could_mean_anything_are_refused(tmp_path, trained, given, told):
    _, kept = dataset(tmp_path, trained)
    with pytest.raises(Fault) as refused:
        kept.apply(given, "it")
    assert refused.value.code == "CNN426" and told in refused.value.message


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_refused(tmp_path, dtype, wrong):
    for trained in (BYTES, WIDE):
        _, kept = dataset(tmp_path, trained)
        with pytest.raises(Fault) as refused:
            kept.apply(np.array([[0, wrong]], dtype), "it")
        assert refused.value.code == "CNN411"


def test_a_number_beyond_float32_is_not_finite_there(tmp_path):
    _, kept = dataset(tmp_path, WIDE)
    with pytest.raises(Fault) as refused:
        kept.apply(np.full((1, 2, 5, 4), 1e300), "it")
    assert refused.value.code == "CNN411"


@pytest.mark.parametrize(
    "axes, stored, given",
    [
        (None, (9, 3, 5, 4), [(3, 5, 4), (2, 3, 5, 4)]),
        ("nhwc", (9, 5, 4, 3), [(5, 4, 3), (2, 5, 4, 3), (3, 5, 4), (2, 3, 5, 4)]),
        ("nhw", (9, 5, 4), [(5, 4), (2, 5, 4), (1, 5, 4), (2, 1, 5, 4)]),
        ("nwc", (9, 7, 2), [(7, 2), (3, 7, 2), (2, 7)]),
        (None, (9, 1, 5, 4), [(5, 4), (3, 5, 4), (1, 5, 4), (3, 1, 5, 4)]),
        (None, (9, 6), [(6,), (3, 6)]),
    ],
)
def test_axes_are_in_the_order_of_training(tmp_path, axes, stored, given):
    _, kept = dataset(tmp_path, RANDOM.random(stored), axes=axes)
    for shape in given:
        found = arranged(np.arange(np.prod(shape)).reshape(shape), kept, "it")
        assert found.shape[1:] == kept.input


def test_cubes_whose_axes_could_be_either_are_read_as_training_read_them(tmp_path):
    x = RANDOM.random((9, 3, 3, 3))
    _, kept = dataset(tmp_path, x, axes="nhwc")
    assert np.array_equal(arranged(x, kept, "it"), x.transpose(0, 3, 1, 2))
    assert np.array_equal(arranged(x[0], kept, "it"), x[:1].transpose(0, 3, 1, 2))


@pytest.mark.parametrize("shape", [(4, 5, 3), (2, 5, 4, 3), (5, 4), (), (3,), (1, 2, 3, 5, 4), (3, 4, 5)])
def test_an_array_of_another_shape_is_refused(tmp_path, shape):
    _, kept = dataset(tmp_path, RANDOM.random((9, 3, 5, 4)))
    with pytest.raises(Fault) as refused:
        arranged(np.zeros(shape), kept, "it")
    assert refused.value.code == "CNN408"
    assert ("moveaxis" in refused.value.help) == (shape[-3:] == (5, 4, 3))


def test_other_data_are_scaled_and_numbered_as_the_first_were(tmp_path):
    (tmp_path / "a.csv").write_text("p,q,kind\n" + "1,5,dog\n2,6,cat\n3,9,emu\n" * 5)
    (tmp_path / "b.csv").write_text("p,q,kind\n" + "10,5,emu\n20,6,dog\n" * 5)
    first, second = (load(Data(source=Csv(name), normalise=True), root=tmp_path) for name in ("a.csv", "b.csv"))
    kept = preparation_of(first, Data(source=Csv("a.csv"), normalise=True))
    found = prepared_as(second, kept)
    assert found.classes == ("cat", "dog", "emu") and found.scaling == first.scaling != second.scaling
    assert set(found.train.y.tolist()) == {1, 2}
    assert all(kept.classes[k] == second.classes[j] for k, j in zip(found.train.y, second.train.y, strict=True))


def test_other_data_with_classes_of_their_own_are_refused(tmp_path):
    (tmp_path / "a.csv").write_text("p,kind\n" + "1,dog\n2,cat\n" * 5)
    (tmp_path / "b.csv").write_text("p,kind\n" + "1,dog\n2,yak\n" * 5)
    first, second = (load(Data(source=Csv(name)), root=tmp_path) for name in ("a.csv", "b.csv"))
    with pytest.raises(Fault) as refused:
        prepared_as(second, preparation_of(first, Data(source=Csv("a.csv"))))
    assert refused.value.code == "CNN429" and "not trained on: yak" in refused.value.message


def wrong(**changes):
    return lambda document: {**document, **changes}


@pytest.mark.parametrize(
    "change, told",
    [
        (lambda document: [], "must be an object"),
        (lambda document: None, "must be an object"),
        (lambda document: {k: v for k, v in document.items() if k != "scale"}, "/scale: is missing"),
        (wrong(scale=[1, 2, 3]), "/scale: 3 numbers for 2 channels"),
        (wrong(scale=[float("nan")]), "/scale: a number that float32 cannot hold"),
        (wrong(scale=[10**400]), "/scale: a number that float32 cannot hold"),
        (wrong(offset=[1e39]), "/offset: a number that float32 cannot hold"),
        (wrong(scale=["1"]), "/scale/0: must be a number"),
        (wrong(scale=[1.0], offset=[0, 0]), "/offset: "),
        (wrong(input=[]), "/input: "),
        (wrong(input=[2, 5, True]), "/input/2: must be a whole number"),
        (wrong(stored="int"), "/stored: must be one of bytes, floats"),
        (wrong(classes="ab"), "/classes: must be a list"),
        (wrong(resize=[10**9, 1]), "/resize/0: "),
        (wrong(version=2), "/version: "),
        (wrong(classes=["a", "\ud800"]), "text that is not Unicode"),
        (
            wrong(table={"names": ["a"], "label": 1, "label_name": "", "header": True, "separator": ","}),
            "/table/names",
        ),
    ],
)
def test_a_record_that_was_edited_is_refused_by_what_is_wrong_in_it(tmp_path, change, told):
    _, kept = dataset(tmp_path, BYTES)
    with pytest.raises(SpecError) as refused:
        Preparation.from_json(change(kept.to_json()), "runs/a-001/settings.json")
    (finding,) = refused.value.diagnostics
    assert finding.code == "CNN427" and told in finding.message and "a-001/settings.json" in finding.message


NAMES = [("ü", 1000, True), ("ü" * 10, 60_000, False), ('"' * 9, 60_000, False)]


@pytest.mark.parametrize("name, count, kept", NAMES)
def test_more_names_than_a_header_of_weights_holds_are_left_out(tmp_path, name, count, kept):

    from cnnspec.train import tensors

    columns = tuple(range(2, count + 2))
    table = TableSchema((name,) * count, 1, columns=columns, width=count + 1, categories=(None,) * count)
    record = Preparation((count,), Scaling(), "floats", (0, 1), ("a", "b"), "csv", table=table)
    assert bool(record.metadata()) == kept
    tensors.write(tmp_path / "w.safetensors", {}, record.metadata())
    found = Preparation.from_metadata(tensors.read(tmp_path / "w.safetensors").metadata, "w")
    assert found == (record if kept else None)


@pytest.mark.parametrize("text", ["", "{", "[" * 10_000, "NaN"])
def test_metadata_that_are_no_json_are_refused(text):
    with pytest.raises(SpecError, match="CNN427"):
        Preparation.from_metadata({"preparation": text}, "w.safetensors")
    assert Preparation.from_metadata({}, "w.safetensors") is None


@pytest.mark.parametrize(
    "x, normalise, told",
    [
        (BYTES, False, "x / 255, x being bytes from 0 to 255"),
        (WIDE, False, "x as it is, x being floats as the data have them"),
        (np.array([[0], [255]] * 6, np.uint8), True, "x * 0.00784314 - 1, x being bytes from 0 to 255"),
        (np.array([[0.0, 1], [2, 1]] * 6), True, "x * [1, 1] + [-1, -1] channel by channel, x being floats as the"),
        (RANDOM.random((9, 8)), True, "x * scale + offset for each of 8 channels"),
    ],
)
def test_what_a_network_wants_is_said(tmp_path, x, normalise, told):
    # without a test share, which would take some of so few images away
    np.savez(tmp_path / "d.npz", x=x, y=np.arange(len(x)) % 2)
    settings = Data(source=Npz("d.npz", test=0), normalise=normalise, validation=0)
    assert preparation_of(load(settings, root=tmp_path), settings).wants().startswith(told)


ANYTHING = [
    None,
    True,
    -1,
    0,
    1e308 * 10,
    float("nan"),
    10**400,
    "",
    "x" * 10,
    "\ud800",
    [],
    [[]],
    {},
    {"a": 1},
    [None],
]


def test_whatever_stands_in_a_record_is_taken_or_refused():
    random = np.random.default_rng(0)
    pictures = Preparation(
        (3, 4, 4), Scaling((0.1, 0.2, 0.3), (0, 0, 1)), "bytes", (0, 255), ("a", "b"), "images", True
    )
    table = Preparation((2,), Scaling((0.1,)), "floats", (0, 2), None, "csv", table=TableSchema(("a", "b"), 1))
    taken = 0
    for count in range(600):
        document = json.loads(json.dumps((pictures, table)[count % 2].to_json()))
        place = document
        while True:
            key = random.choice(list(place) if isinstance(place, dict) else len(place))
            if not (isinstance(place[key], dict | list) and place[key] and random.random() < 0.6):
                break
            place = place[key]
        if random.random() < 0.2:
            del place[key]
        else:
            place[key] = ANYTHING[random.integers(len(ANYTHING))]
        try:
            found = Preparation.from_json(document, "settings.json")
        except SpecError as refused:
            assert {finding.code for finding in refused.diagnostics} == {"CNN427"}
            continue
        taken += 1
        assert found.told().isprintable() and Preparation.from_metadata(found.metadata(), "w") == found
    assert 10 < taken < 300
