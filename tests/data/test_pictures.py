"""Image files come upright, opaque, with eight bits a channel, whatever they are stored as."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from cnnspec.checking import check
from cnnspec.data import files
from cnnspec.data.asked.single import read_inputs
from cnnspec.data.formats.pictures import FORMATS, picture_size
from cnnspec.data.load import load
from cnnspec.data.preparation import Preparation, preparation_of
from cnnspec.data.sources.images import read_image
from cnnspec.diagnostics import Fault
from cnnspec.settings.data import Data, Images

pillow = pytest.importorskip("PIL.Image", reason="Pillow reads images")

RANDOM = np.random.default_rng(0)
UPRIGHT = np.zeros((16, 24, 3), np.uint8)  # bright on top, red at the left: no turn of it is itself
UPRIGHT[:8] = 200
UPRIGHT[:, :8, 1:] //= 4
# how a camera stores what is upright, by the orientation that it then tells: rows first, as EXIF defines it
STORED = {
    1: lambda x: x,
    2: lambda x: x[:, ::-1],
    3: lambda x: x[::-1, ::-1],
    4: lambda x: x[::-1],
    5: lambda x: x.transpose(1, 0, 2),
    6: lambda x: np.rot90(x, 1),
    7: lambda x: x[::-1, ::-1].transpose(1, 0, 2),
    8: lambda x: np.rot90(x, -1),
}


def save(path, image, orientation=None, **options):
    exif = pillow.Exif()
    if orientation is not None:
        exif[0x0112] = orientation
        options["exif"] = exif
    image.save(path, **options)


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("end", [".png", ".jpg", ".webp", ".tif"])
def test_every_orientation_is_turned_upright(tmp_path, orientation, end):
    path = tmp_path / f"a{end}"
    stored = np.ascontiguousarray(STORED[orientation](UPRIGHT))
    save(path, pillow.fromarray(stored), orientation, **({"quality": 95} if end in (".jpg", ".webp") else {}))
    with pillow.open(path) as image:
        assert image.getexif().get(0x0112) == orientation
    found = read_image(path).transpose(1, 2, 0).astype(int)
    assert picture_size(path) == found.shape[:2] == (16, 24)
    assert np.abs(found - UPRIGHT).mean() < (8 if end in (".jpg", ".webp") else 1e-9)


def test_half_of_a_folder_upside_down_is_read_as_if_it_were_not(tmp_path):
    for name, grey in (("upper", 0), ("lower", 255)):
        (tmp_path / name).mkdir()
        for i in range(4):
            image = np.full((8, 8, 3), 255 - grey, np.uint8)
            image[4:] = grey
            turned = i % 2 == 1
            image = np.ascontiguousarray(image[::-1, ::-1]) if turned else image
            save(tmp_path / name / f"{i}.jpg", pillow.fromarray(image), 3 if turned else None, quality=95)
    found = load(Data(source=Images(str(tmp_path), test=0.0), validation=0.0))
    for k, name in enumerate(found.classes):
        upper = found.train.x[found.train.y == k][:, :, :3].mean((1, 2, 3))
        assert (upper > 200).all() if name == "upper" else (upper < 50).all()


@pytest.mark.parametrize("orientation", [0, 9, 77, 65535])
def test_an_orientation_that_is_none_turns_nothing(tmp_path, orientation):
    save(tmp_path / "a.png", pillow.fromarray(UPRIGHT), orientation)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png").transpose(1, 2, 0), UPRIGHT)


def test_damaged_exif_turns_nothing_and_harms_nobody(tmp_path):
    for i, exif in enumerate((b"Exif\0\0", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff", b"Exif\0\0" + bytes(40), b"x" * 60)):
        pillow.fromarray(UPRIGHT).save(tmp_path / f"{i}.jpg", exif=exif, quality=95)
        assert read_image(tmp_path / f"{i}.jpg").shape == (3, 16, 24)


def test_resize_is_that_of_the_upright_image(tmp_path):
    save(tmp_path / "a.png", pillow.fromarray(np.ascontiguousarray(STORED[6](UPRIGHT))), 6)
    found = read_image(tmp_path / "a.png", resize=(8, 12))
    assert found.shape == (3, 8, 12) and found[0, :3].mean() > 150 > 20 > found[0, 5:].mean()


# ---- what is transparent ------------------------------------------------------------------------------


RED, CLEAR_RED, HALF_RED, ON_WHITE = (255, 0, 0, 255), (255, 0, 0, 0), (255, 0, 0, 128), [255, 127, 127]


def transparent(mode):
    image = pillow.new("RGBA", (3, 1))
    for i, colour in enumerate((RED, CLEAR_RED, HALF_RED)):
        image.putpixel((i, 0), colour)
    if mode == "P":
        image = pillow.new("P", (3, 1))
        image.putpalette([255, 0, 0] * 3)
        for i in range(3):
            image.putpixel((i, 0), i)
    return image


@pytest.mark.parametrize("mode, options", [("RGBA", {}), ("P", {"transparency": bytes((255, 0, 128))})])
def test_what_is_transparent_lies_on_white(tmp_path, mode, options):
    transparent(mode).save(tmp_path / "a.png", **options)
    found = read_image(tmp_path / "a.png")[:, 0].T
    np.testing.assert_array_equal(found, [[255, 0, 0], [255, 255, 255], ON_WHITE])
    grey = read_image(tmp_path / "a.png", colour=False)[0, 0]
    assert grey.tolist() == [76, 255, 165]


@pytest.mark.parametrize("mode, colour, clear", [("L", 7, 7), ("RGB", (7, 8, 9), (7, 8, 9)), ("1", 0, 0)])
def test_a_colour_that_is_said_to_be_transparent_is_white(tmp_path, mode, colour, clear):
    pillow.new(mode, (2, 2), colour).save(tmp_path / "a.png", transparency=clear)
    assert read_image(tmp_path / "a.png").tolist() == np.full((3, 2, 2), 255).tolist()


def test_grey_with_transparency(tmp_path):
    pillow.merge("LA", (pillow.new("L", (2, 1), 100), pillow.new("L", (2, 1), 0))).save(tmp_path / "a.png")
    assert (read_image(tmp_path / "a.png") == 255).all()


# ---- depths and modes ---------------------------------------------------------------------------------


@pytest.mark.parametrize("end", [".png", ".tif", ".pgm"])
@pytest.mark.parametrize("colour", [True, False])
def test_sixteen_bits_are_scaled_to_eight(tmp_path, end, colour):
    deep = np.array([[0, 128, 129, 257], [32767, 32768, 65278, 65535]], np.uint16)
    path = tmp_path / f"a{end}"
    if end == ".pgm":
        path.write_bytes(b"P5 4 2 65535\n" + deep.astype(">u2").tobytes())
    else:
        pillow.fromarray(deep).save(path)
    found = read_image(path, colour)
    assert found.shape == (3 if colour else 1, 2, 4)
    np.testing.assert_array_equal(found[0], np.floor(deep / 257 + 0.5))


def test_sixteen_bits_of_both_byte_orders(tmp_path):
    deep = np.array([[0, 257, 65535]], np.uint16)
    for i, order in enumerate("<>"):
        entries = [(256, 3, 1, 3), (257, 3, 1, 1), (258, 3, 1, 16), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, 8),
                   (277, 3, 1, 1), (278, 3, 1, 1), (279, 4, 1, 6)]  # fmt: skip
        content = deep.astype(f"{order}u2").tobytes()
        where = 8 + len(content)
        head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", where)
        table = struct.pack(order + "H", len(entries))
        for tag, kind, count, value in entries:
            packed = struct.pack(order + ("HH" if kind == 3 else "I"), *((value, 0) if kind == 3 else (value,)))
            table += struct.pack(order + "HHI", tag, kind, count) + packed
        (tmp_path / f"{i}.tif").write_bytes(head + content + table + bytes(4))
        assert read_image(tmp_path / f"{i}.tif", colour=False).tolist() == [[[0, 1, 255]]]


@pytest.mark.parametrize("dtype", [np.int32, np.float32])
def test_more_bits_are_refused(tmp_path, dtype):
    pillow.fromarray(np.full((2, 2), 300, dtype)).save(tmp_path / "a.tif")
    with pytest.raises(Fault) as caught:
        read_image(tmp_path / "a.tif")
    assert (caught.value.code, caught.value.message) == ("CNN415", f"{tmp_path / 'a.tif'} has 32 bits a channel")


def test_one_bit_is_black_and_white(tmp_path):
    pillow.fromarray(np.array([[True, False]])).save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png", colour=False).tolist() == [[[255, 0]]]


def test_a_palette_is_its_colours(tmp_path):
    x = RANDOM.integers(0, 2, (5, 6, 1), dtype=np.uint8) * np.array([250, 10, 90], np.uint8)
    image = pillow.fromarray(x).quantize(2)
    for end in (".png", ".gif", ".bmp"):
        image.save(tmp_path / f"a{end}")
        np.testing.assert_array_equal(read_image(tmp_path / f"a{end}").transpose(1, 2, 0), x)


def test_cmyk_is_turned_into_colours(tmp_path):
    image = pillow.new("CMYK", (4, 4), (0, 255, 255, 0))
    for end in (".jpg", ".tif"):
        image.save(tmp_path / f"a{end}")
        red = read_image(tmp_path / f"a{end}")[:, 1, 1].astype(int)
        assert np.abs(red - (255, 0, 0)).max() < 12


def test_of_several_pictures_the_first_is_read(tmp_path):
    pictures = [pillow.new("RGB", (3, 2), (grey, grey, grey)) for grey in (10, 200, 90)]
    for end in (".gif", ".tif", ".png", ".webp"):
        exact = {"lossless": True} if end == ".webp" else {}
        pictures[0].save(tmp_path / f"a{end}", save_all=True, append_images=pictures[1:], **exact)
        assert (read_image(tmp_path / f"a{end}") == 10).all(), end


def test_a_picture_that_memory_does_not_hold_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    pillow.new("1", (3000, 2000)).save(tmp_path / "a.png")
    pillow.new("1", (300, 200)).save(tmp_path / "b.png")
    monkeypatch.setattr(files, "free_memory", lambda: 50_000_000)
    with pytest.raises(Fault) as caught:
        read_image(tmp_path / "a.png")
    assert caught.value.code == "CNN407"
    assert read_image(tmp_path / "b.png").shape == (3, 200, 300)


# ---- damage -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", FORMATS)
def test_a_file_cut_anywhere_is_read_or_named(tmp_path, format):
    path = tmp_path / "a"
    pillow.fromarray(RANDOM.integers(0, 256, (9, 11, 3), dtype=np.uint8)).save(path, format=format)
    whole = path.read_bytes()
    full = read_image(path)
    refused = 0
    for length in {0, 1, *range(2, len(whole), max(1, len(whole) // 40))}:
        path.write_bytes(whole[:length])
        try:
            np.testing.assert_array_equal(read_image(path), full)  # never half of it
        except Fault as fault:
            assert fault.code == "CNN415" and str(path) in fault.message and "\n" not in fault.message
            refused += 1
    assert refused > 20


@pytest.mark.parametrize("format", FORMATS)
def test_bytes_changed_at_random_are_read_or_named(tmp_path, format):
    path = tmp_path / "a"
    exif = pillow.Exif()
    exif[0x0112] = 6
    options = {"exif": exif} if format in ("PNG", "JPEG", "WEBP", "TIFF") else {}
    pillow.fromarray(RANDOM.integers(0, 256, (9, 11, 3), dtype=np.uint8)).save(path, format=format, **options)
    whole = path.read_bytes()
    generator = np.random.default_rng(1)
    for _ in range(150):
        content = bytearray(whole)
        for _ in range(generator.integers(1, 5)):
            content[generator.integers(len(content))] = generator.integers(256)
        path.write_bytes(content)
        for ask in (read_image, picture_size):
            try:
                ask(path)
            except Fault as fault:
                assert fault.code == "CNN415" and "\n" not in fault.message


@pytest.mark.parametrize("background, wanted", [("white", 255), ("black", 0), ("grey", 128), ("#808080", 128)])
def test_transparent_pixels_show_the_background_in_training_and_in_an_answer(tmp_path, background, wanted):
    for name in ("a", "b"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        pillow.new("RGBA", (3, 4), (9, 200, 77, 0)).save(tmp_path / "photos" / name / "1.png")
    settings = Data(source=Images("photos", background=background, test=0.0), validation=0.0)
    found = load(settings, root=tmp_path)
    assert (found.train.x == wanted).all()
    kept = Preparation.from_json(preparation_of(found, settings).to_json(), "a run")
    seen, _ = read_inputs(tmp_path / "photos/a/1.png", kept)
    np.testing.assert_allclose(seen, wanted / 255, rtol=1e-6)


def test_a_background_is_a_colour():
    import cnnspec

    for wrong in ("red", '"#12345"', '"white; x"', "3"):
        report = cnnspec.check(text=f'dense 2 -> softmax\ndata {{ source images "p" background {wrong} }}')
        assert [found.code for found in report.errors] == ["CNN203"]


def test_photos_of_unequal_sizes_are_told_the_size_that_the_network_takes(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / "photos" / "train" / folder).mkdir(parents=True)
        for number in range(3):
            size = (9 + number, 12)
            pillow.new("RGB", size, (number * 40, 0, 0)).save(
                tmp_path / "photos" / "train" / folder / f"{number}.png"
            )
    text = 'input 3x16x20\nconv 2x3x3 -> relu -> dense 2 -> softmax\ndata { source images "photos" }\n'
    (tmp_path / "net.cnn").write_text(text, encoding="utf-8")
    (found,) = check(tmp_path / "net.cnn").diagnostics
    assert found.code == "CNN416"
    assert "`resize 16x20`" in found.help
    (tmp_path / "net.cnn").write_text(text.replace('"photos"', '"photos" resize 16x20'), encoding="utf-8")
    assert check(tmp_path / "net.cnn").ok
