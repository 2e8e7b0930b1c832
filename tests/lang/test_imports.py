"""Imports: what is found, and what may not be reached."""

from __future__ import annotations

from pathlib import Path

import pytest

from cnnspec.diagnostics import Source
from cnnspec.lang import Reading, read
from cnnspec.lang.files import read_file


def written(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / (name.replace("__", "/") + ".cnn")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder / "main.cnn"


def reading(path: Path, **options: object) -> Reading:
    source = read_file(path)
    assert isinstance(source, Source)
    return read(source, **options)  # type: ignore[arg-type]


def codes(path: Path, **options: object) -> list[str]:
    return [found.code for found in reading(path, **options).diagnostics]


BLOCKS = "let k = 3\nblock two(c) = conv {c}x{k}x{k} -> relu\nlet unused = 1\n"


def test_blocks_of_another_file(tmp_path: Path) -> None:
    main = written(
        tmp_path,
        parts__b=BLOCKS,
        main='import "parts/b.cnn"\ninput 1x9x9\ntwo(4) -> two(8) -> dense 2 -> softmax\n',
    )
    found = reading(main)
    assert found.diagnostics == ()
    assert list(found.graph.nodes)[1:5] == ["two1.conv1", "two1.relu1", "two2.conv1", "two2.relu1"]


def test_behind_a_name(tmp_path: Path) -> None:
    main = written(
        tmp_path,
        b=f"{BLOCKS}input 1x9x9\ntwo(4) -> gap\n",
        main='import "b.cnn" as b\ninput 1x28x28\nb.two(4) -> b -> dense 2 -> softmax\n',
    )
    found = reading(main)
    assert found.diagnostics == ()
    assert [node.op.word for node in found.graph][1:] == ["conv", "relu", "conv", "relu", "gap", "dense", "softmax"]


def test_numbers_stay_in_their_file(tmp_path: Path) -> None:
    main = written(tmp_path, b=BLOCKS, main='import "b.cnn"\nlet k = 1\ninput 1x9x9\ntwo({k}) -> dense {k}\n')
    assert "CNN001" in codes(main)  # an argument needs no braces
    main = written(tmp_path, b=BLOCKS, main='import "b.cnn"\nlet k = 1\ninput 1x9x9\ntwo(k) -> dense {k}\n')
    assert reading(main).graph["two1.conv1"].op.written() == "conv 1x3x3"


def test_imports_of_imports_are_relative_to_their_file(tmp_path: Path) -> None:
    main = written(
        tmp_path,
        deep__inner="block one = relu\n",
        deep__outer='import "inner.cnn"\nblock both = one -> one\n',
        main='import "deep/outer.cnn"\ninput 4\nboth -> dense 2\n',
    )
    assert codes(main) == []


def test_cycles(tmp_path: Path) -> None:
    main = written(
        tmp_path,
        a='import "main.cnn"\n',
        main='import "a.cnn"\ninput 4\ndense 2\n',
        self='import "self.cnn"\ndense 2\n',
    )
    assert codes(main) == ["CNN015"]
    assert codes(tmp_path / "self.cnn") == ["CNN015"]
    assert "main.cnn -> a.cnn -> main.cnn" in reading(main).diagnostics[0].message


@pytest.mark.parametrize(
    "path", ["../secret.cnn", "/etc/passwd", "parts/../../secret.cnn", "link.cnn", "linked/s.cnn"]
)
def test_nothing_outside_is_read(tmp_path: Path, path: str) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "secret.cnn").write_text("TOP SECRET")
    (outside / "s.cnn").write_text("TOP SECRET")
    main = written(inside, parts__b="", main=f'import "{path}"\ninput 4\ndense 2\n')
    (inside / "link.cnn").symlink_to(tmp_path / "secret.cnn")
    (inside / "linked").symlink_to(outside)
    found = reading(main)
    assert [each.code for each in found.diagnostics] == ["CNN014"]
    assert "SECRET" not in str(found.diagnostics)


def test_a_wider_root_reaches_further(tmp_path: Path) -> None:
    written(tmp_path, shared="block one = relu\n")
    main = written(tmp_path / "nets", main='import "../shared.cnn"\ninput 4\none -> dense 2\n')
    assert codes(main) == ["CNN014"]
    assert codes(main, root=tmp_path) == []


def test_imports_reach_the_project_and_no_further(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The nearest folder with a repository or our settings; else where the command runs; else the file's own."""
    written(tmp_path, shared="block one = relu\n")
    main = written(tmp_path / "nets" / "deep", main='import "../../shared.cnn"\ninput 4\none -> dense 2\n')
    monkeypatch.chdir(tmp_path)
    assert codes(main) == []
    monkeypatch.chdir(tmp_path / "nets")
    assert codes(main) == ["CNN014"]
    (tmp_path / "pyproject.toml").write_text("[tool.other]\ncnnspec = 1\n")
    assert codes(main) == ["CNN014"]
    (tmp_path / "pyproject.toml").write_text("[tool.cnnspec]\n")
    assert codes(main) == []
    (tmp_path / "nets" / ".git").mkdir()
    assert codes(main) == ["CNN014"]
    (tmp_path / "nets" / ".git").rmdir()
    (tmp_path / "pyproject.toml").unlink()
    (tmp_path / ".git").write_text("gitdir: elsewhere")  # a worktree of a repository
    assert codes(main) == []


def test_every_reader_has_the_same_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cnnspec.api import read_spec
    from cnnspec.checking import check
    from cnnspec.diagnostics import SpecError
    from cnnspec.experiment.session import begin

    written(tmp_path, shared="block one = conv 2x3x3\n")
    text = 'import "../shared.cnn"\ninput 1x28x28\none -> dense 10 -> softmax\ndata { source digits }\n'
    main = written(tmp_path / "nets", main=text)

    def verdicts() -> list[str]:
        found = [",".join(error.code for error in check(main).errors)]
        found.append(",".join(error.code for error in check(main, text=text).errors))
        source = Source(str(main), text)
        for attempt in (lambda: read_spec(main), lambda: begin(main), lambda: begin(main, source=source)):
            try:
                attempt()
                found.append("")
            except SpecError as error:
                found.append(",".join(each.code for each in error.diagnostics))
        return found

    assert verdicts() == ["CNN014"] * 5
    (tmp_path / "pyproject.toml").write_text("[tool.cnnspec]\n")
    assert verdicts() == [""] * 5
    (tmp_path / "pyproject.toml").unlink()
    monkeypatch.chdir(tmp_path)
    assert verdicts() == [""] * 5


LIBRARIES = {
    "blocks": "block one(c, s = 1) = conv {c}x3x3 stride {s}\nblock two = one(4) -> relu\n",
    "numbers": "let width = 64\nlet twice = 2 * width\n",
    "imports": 'import "main.cnn"\n',
}


@pytest.mark.parametrize("text", LIBRARIES.values(), ids=LIBRARIES)
def test_a_file_that_only_defines_things_is_a_library(tmp_path: Path, text: str) -> None:
    written(tmp_path, main="block three = relu\n", lib=text)
    found = reading(tmp_path / "lib.cnn", library=True)
    assert found.diagnostics == () and found.spec is None
    assert "CNN024" in codes(tmp_path / "lib.cnn")  # who wants a network is told that there is none


@pytest.mark.parametrize("text", ["", "# nothing\n", "input 4\nblock b = relu\n", "train { epochs 3 }\n"])
def test_what_is_no_library(tmp_path: Path, text: str) -> None:
    assert "CNN024" in codes(written(tmp_path, main=text), library=True)


def test_a_library_is_checked_all_the_same(tmp_path: Path) -> None:
    main = written(tmp_path, main="block one(c) = conv 8x3x3 -> rellu\n")
    assert codes(main, library=True) == ["CNN201"]
    main = written(tmp_path, main="block one(c) = conv 8x3x3\n")
    assert codes(main, library=True) == []


def test_files_that_are_too_much_together(tmp_path: Path) -> None:
    for i in range(9):
        written(tmp_path, **{f"b{i}": f"block b{i} = relu # {'x' * 30_000}\n"})
    text = "".join(f'import "b{i}.cnn"\n' for i in range(9))
    assert codes(written(tmp_path, main=f"{text}input 4\nb0 -> dense 2\n")) == ["CNN008"]


def test_loops_of_links_and_folders(tmp_path: Path) -> None:
    main = written(tmp_path, main='import "loop.cnn"\nimport "folder"\ninput 4\ndense 2\n')
    (tmp_path / "loop.cnn").symlink_to(tmp_path / "loop.cnn")
    (tmp_path / "folder").mkdir()
    assert codes(main) == ["CNN013", "CNN013"]


def test_mistakes_of_an_imported_file_are_its_own(tmp_path: Path) -> None:
    main = written(tmp_path, b="block one = rellu\nlet =\n", main='import "b.cnn"\ninput 4\none -> dense 2\n')
    found = reading(main).diagnostics
    assert {each.span.source.name for each in found if each.span} == {(tmp_path / "b.cnn").as_posix()}
    assert sorted(each.code for each in found) == ["CNN001", "CNN201"]


def test_a_missing_file_hides_what_it_would_have_defined(tmp_path: Path) -> None:
    main = written(
        tmp_path, main='import "gone.cnn"\nimport "gone.cnn" as g\ninput 4\none(3) -> g.two -> dense 2\n'
    )
    assert codes(main) == ["CNN013"]
