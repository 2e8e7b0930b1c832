"""Days with files of others: a colleague's network, a stranger's run, hostile names, odd places for data."""

from __future__ import annotations

import json
import os
import shutil

import numpy as np
import pytest

SPEC = """input 1x6x6
conv 4x3x3 -> relu -> dense 2 -> softmax
data { source npz "images.npz" ; validation 0 }
train { optimiser adam lr 1e-2 ; batch 8 ; epochs 4 ; seed 1 }
"""
CANARY = "__import__('pathlib').Path('canary').write_text('ran')"
BREAKS = ("\n", "\r", "\u2028", "\x0b", "\x0c", "\x85")


def images(day, count=60, name="images.npz"):
    """Two classes that a child tells apart: bright on the left, bright on the right."""
    draw = np.random.default_rng(0)
    x = draw.integers(0, 60, (count, 1, 6, 6), dtype=np.uint8)
    y = np.arange(count) % 2
    x[y == 0, :, :, :3] += 180
    x[y == 1, :, :, 3:] += 180
    np.savez(day / name, x=x, y=y)
    return x, y


def no_canary(day):
    return not any(path.name == "canary" for path in day.folder.parent.rglob("*"))


def test_a_network_that_a_colleague_sent_as_json(day):
    x, _ = images(day)
    day.write("net.cnn", SPEC)
    day.write("sent.cnn.json", day.well("compile", "net.cnn", "--emit", "json").out)
    (day / "net.cnn").unlink()
    day.well("check", "sent.cnn.json")
    assert day.well("run", "sent.cnn.json", "--workers", 1).number("test accuracy") == 1.0
    assert "accuracy 100.00%" in day.well("eval", "runs/sent-001").out
    np.save(day / "ask.npy", x[:3])
    answers = day.well("predict", "runs/sent-001", "ask.npy", "--json").json()
    assert [answer["best"][0][0] for answer in answers] == ["0", "1", "0"]


def names_of(document, change):
    """The document with its second node's name changed wherever it stands."""
    name = document["nodes"][1]["name"]
    text = json.dumps(document).replace(json.dumps(name), json.dumps(change(name)))
    return json.loads(text)


@pytest.mark.parametrize("payload", [
    f'x"]; {CANARY}; b["', f"x\n{CANARY}\n#", f'"""\n{CANARY}\n"""', "x'] = 1 #", "<script>alert(1)</script>",
    "\x1b]0;t\x07",
])  # fmt: skip
def test_a_network_whose_names_are_programs(day, payload):
    images(day)
    day.write("net.cnn", SPEC)
    document = day.well("compile", "net.cnn", "--emit", "json").json()
    day.write("evil.cnn.json", json.dumps(names_of(document, lambda name: payload)))
    for command in (
        ("check",), ("plan",), ("compile", "--emit", "python", "--embed"), ("compile", "--emit", "torch"),
        ("summary",), ("run",), ("draw",), ("report", "-o", "page.html"),
    ):  # fmt: skip
        said = day.tell(command[0], "evil.cnn.json", *command[1:])
        assert said.code == 1 and "\x1b]" not in said.all, command
    assert no_canary(day) and not (day / "runs").exists()


@pytest.mark.skipif(os.name != "posix", reason="such names are not allowed here")
def test_files_whose_names_hold_the_end_of_a_line(day):
    for end in BREAKS:
        images(day)
        name = f"a{end}{CANARY} # .cnn"
        day.write(name, SPEC)
        said = day.well("plan", name)
        compile(said.out, "plan", "exec")
        day.well("run", name, "--workers", 1, "--out", "runs")
        for run in sorted((day / "runs").iterdir()):
            day.well("eval", run)
            day.tell("trace", run, "--at", "conv1[0,1,1]")
        for command in (("check", "--format", "github", name), ("fmt", "--check", name)):
            said = day.tell(*command)
            assert not any(line.startswith(CANARY) for line in said.all.splitlines())
        shutil.rmtree(day / "runs")
        (day / name).unlink()
    assert no_canary(day)
    day.write("n\n::error title=forged::x.cnn", "input 1x6x6\ndense   2 -> softmax\n")
    said = day.tell("fmt", "--check", ".")
    assert said.code == 1 and not any(line.startswith("::error title=forged") for line in said.all.splitlines())


def test_a_run_that_a_stranger_sent(day):
    images(day)
    day.write("net.cnn", SPEC)
    day.well("run", "net.cnn", "--workers", 1)
    run = day / "runs/net-001"
    settings = json.loads((run / "settings.json").read_text(encoding="utf-8"))
    for end in BREAKS:
        changed = {**settings, "spec": f"../x{end}{CANARY} #/net.cnn"}
        (run / "settings.json").write_text(json.dumps(changed), encoding="utf-8")
        np.save(day / "ask.npy", np.zeros((1, 1, 6, 6), np.uint8))
        for command in (
            ("eval", run), ("predict", run, "ask.npy"), ("trace", run, "--at", "conv1[0,1,1]"),
            ("report", run, "-o", "page.html"),
        ):  # fmt: skip
            assert day.tell(*command).code in (0, 1)
    assert no_canary(day)


@pytest.mark.skipif(os.name != "posix", reason="locales of POSIX")
def test_a_machine_that_knows_only_ascii(day):
    folder = day / "café ☕"
    folder.mkdir()
    day.folder = folder
    images(day, name="bilder-größe.npz")
    day.write("näht.cnn", "# Σ → ×\n" + SPEC.replace("images.npz", "bilder-größe.npz"))
    plain = {"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    for command in (
        ("check", "."), ("summary", "näht.cnn"), ("why", "näht.cnn", "dense1"), ("run", "näht.cnn", "--workers", 1),
        ("plan", "näht.cnn"), ("trace", "näht.cnn", "--at", "conv1[0,1,1]"),
    ):  # fmt: skip
        day.well(*command, **plain)
    (run,) = (folder / "runs").iterdir()
    day.well("eval", run, **plain)
    day.well("eval", run)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="needs a user whom permissions hold")
def test_a_home_that_cannot_be_written(day):
    images(day)
    day.write("net.cnn", SPEC)
    home = day.folder.parent / "sealed"
    home.mkdir(mode=0o500)
    assert "test accuracy" in day.well("run", "net.cnn", "--workers", 1, "--tune", HOME=str(home)).out


def test_a_home_that_is_not_there(day):
    images(day)
    day.write("net.cnn", SPEC)
    nowhere = str(day.folder.parent / "none" / "such")
    assert "test accuracy" in day.well("run", "net.cnn", "--workers", 1, "--tune", HOME=nowhere).out


@pytest.mark.skipif(os.name != "posix", reason="files of POSIX")
def test_data_in_places_that_are_no_files(day):
    os.mkfifo(day / "pipe.npz")
    (day / "folder.npz").mkdir()
    (day / "link.npz").symlink_to("nowhere")
    for place in ("pipe.npz", "folder.npz", "link.npz", "/dev/zero", "~nobody-here/x.npz", "a\\u0000b.npz"):
        for source in ("npz", "csv", "idx", "images"):
            day.write("net.cnn", SPEC.replace('npz "images.npz"', f'{source} "{place}"'))
            said = day.tell("run", "net.cnn", "--workers", 1)  # what waits is ended by a signal
            assert said.code == 1 and "CNN" in said.err
    assert not (day / "runs").exists()


def test_the_specs_of_a_repository_in_ci(day):
    day.write("lib/blocks.cnn", "block body(c) = conv {c}x3x3 pad same -> relu\n")
    day.write("nets/small.cnn", 'import "../lib/blocks.cnn"\ninput 1x28x28\nbody(8) -> dense 10 -> softmax\n')
    said = day.well("check", "--strict", "--format", "github", ".")
    assert said.out.strip() == ""
    wrong = day.write("nets/wrong.cnn", "input 1x28x28\nleaky_relu 0.1 -> cnv 4x3x3 -> dense 10 -> sofmax\n")
    assert day.tell("check", ".").code == 1
    day.tell("check", "--fix", "nets/wrong.cnn")
    fixed = wrong.read_text(encoding="utf-8")
    assert "0.1" in fixed and "4x3x3" in fixed and "-> softmax" in fixed  # no number of the author's is lost


def test_a_head_of_convolutions_answers_with_names(day):
    images(day)
    day.write("net.cnn", SPEC.replace("conv 4x3x3 -> relu -> dense 2", "conv 2x6x6"))
    day.well("check", "net.cnn")
    assert day.well("run", "net.cnn", "--workers", 1).number("test accuracy") == 1.0


def test_what_check_accepts_run_begins_and_what_run_refuses_check_finds(day):
    images(day)
    for wrong in (
        SPEC.replace("1x6x6", "1x8x8"), SPEC.replace("dense 2", "dense 3"),
        'input 3x28x28\ndense 10 -> softmax\ndata { source digits }\n',
        'dense 7 -> softmax\ndata { source digits }\n',
    ):  # fmt: skip
        day.write("net.cnn", wrong)
        assert day.tell("run", "net.cnn", "--workers", 1).code == 1 and not (day / "runs").exists()
        assert day.tell("check", "net.cnn").code == 1, wrong


def test_an_exported_network_says_what_it_wants_to_be_fed(day):
    onnxruntime = pytest.importorskip("onnxruntime", reason="the second witness of exports is not installed")
    x, y = images(day)
    day.write("net.cnn", SPEC.replace("validation 0", "validation 0 ; normalise on"))
    day.well("run", "net.cnn", "--workers", 1)
    for raw in (), ("--raw",):
        said = day.well("compile", "net.cnn", "--emit", "onnx", *raw, "--weights",
                        "runs/net-001/weights/last.safetensors", "-o", "net.onnx")  # fmt: skip
        session = onnxruntime.InferenceSession(str(day / "net.onnx"))
        told = session.get_modelmeta().custom_metadata_map
        fed = x  # as it is stored
        if raw:
            preparation = json.loads(told["cnnspec.preparation"])
            scale, offset = (np.array(preparation[key], "f4").reshape(1, -1, 1, 1) for key in ("scale", "offset"))
            fed = x * scale + offset
        (answer,) = session.run(None, {session.get_inputs()[0].name: fed})
        assert (answer.reshape(len(x), -1).argmax(1) == y).all() and json.loads(told["classes"]) == ["0", "1"]
        assert ("feed the network x *" if raw else "feed the network bytes") in said.all
