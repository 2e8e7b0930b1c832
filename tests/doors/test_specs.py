"""Names and texts around a spec, in everything that is written of it: nothing runs, nothing is forged.

Rows are doors, columns sinks; every cell is `test_<column>[<row>-<sink>]` of this module, or of the one named.

| door \\ sink                 | code   | documents | pictures | terminal | findings | editor |
| --------------------------- | ------ | --------- | -------- | -------- | -------- | ------ |
| name of the file            | yes    | yes       | yes      | yes      | yes      | yes    |
| name of its folder          | yes    | yes       | yes      | yes      | yes      | yes    |
| path of an import           | yes    | yes       | yes      | yes      | yes      | yes    |
| comment                     | yes    | yes       | yes      | yes      | yes      | yes    |
| names of a graph            | test_graphs (and refused in .cnn.json: lang/test_exchange) |||||  |
| classes, columns, archives  | test_data |        | test_data | test_data | test_data |        |
| run folder, weights, ONNX   | test_runs |        | test_runs | test_runs | test_runs |        |

code: plan, plan that learns, modules of Python, PyTorch and JavaScript. documents: graph as JSON, summaries as
JSON, ONNX. pictures: SVG, Mermaid, dot, HTML page, notebook. terminal: summary, why, trace, plan, diff, fmt.
findings: full, concise, GitHub, JSON, SARIF, JUnit. editor: hover, completion, findings.
"""

import os
from functools import cache
from pathlib import Path

import doors
import pytest
from doors import FILE, HARMLESS, HOSTILE, LINE, QUOTED, cli, text_of

from cnnspec.api import read_spec
from cnnspec.editor.completion import complete
from cnnspec.editor.document import Document
from cnnspec.editor.hover import hover
from cnnspec.model import Model
from cnnspec.targets.onnx.export import onnx_model

RIGHT = """\
# {comment}
import "{imported}.cnn"
input 1x4x4  # {comment}
edge -> relu  # {comment}
  -> dense 2 -> softmax  # {comment}
"""
WRONG = """\
# {comment}
import "{imported}.cnn"
input 1x4x4  # {comment}
edge -> edge -> wide  # {comment}
  -> dense 2 -> dens 3  # {comment}
"""
BLOCKS = """\
block edge = conv 2x3x3  # {comment}
block wide = conv 2x9x9  # {comment}
"""
PLAIN = {"folder": HARMLESS, "file": HARMLESS, "imported": HARMLESS + "s", "comment": HARMLESS}
DOORS = {
    "file": {"file": FILE},
    "file that gives an order": {"file": "::error ::x"},
    "file whose name is no text": {"file": "n\udcff"},
    "folder": {"folder": FILE},
    "import": {"imported": QUOTED},
    "comment": {"comment": LINE},
}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder in which every door is a folder: specs that are right and wrong, each beside its blocks."""
    base, before = tmp_path_factory.mktemp("doors"), Path.cwd()
    for k, door in enumerate(({}, *DOORS.values())):
        texts = PLAIN | door
        folder = base / str(k) / texts["folder"]
        folder.mkdir(parents=True)
        (folder / f"{texts['file']}.cnn").write_text(RIGHT.format(**texts), newline="")
        (folder / f"{texts['file']}-wrong.cnn").write_text(WRONG.format(**texts), newline="")
        (folder / f"{texts['imported']}.cnn").write_text(BLOCKS.format(**texts), newline="")
    os.chdir(base)
    yield base
    os.chdir(before)
    doors.nothing_ran(base)


def spec(door, kind=""):
    """The path of a door's spec; that of the harmless one for ""."""
    texts = PLAIN | DOORS.get(door, {})
    return Path(str([*DOORS].index(door) + 1) if door else "0") / texts["folder"] / f"{texts['file']}{kind}.cnn"


@cache
def harmless(sink, skeleton, kind=""):
    return skeleton(sink(spec("", kind)))


def parametrised(sinks):
    def wrap(function):
        function = pytest.mark.parametrize("sink", sinks)(function)
        return pytest.mark.parametrize("door", DOORS)(function)

    return wrap


# ---- code ------------------------------------------------------------------------------------------------


def model(path, **more):
    return Model(read_spec(path), workers=1, batch=2, seed=0, **more)


def learning_plan(path):
    from cnnspec.codegen.program import generate

    with model(path) as made:
        return generate(made.engine.graph("train", 2), 2, 2).source


CODE = {
    "plan": lambda path: cli("plan", path),
    "plan that learns": learning_plan,
    "module of Python": lambda path: cli("compile", path, "--emit", "python", "--embed"),
    "module of Python that learns": lambda path: cli("compile", path, "--emit", "python", "--embed", "--train"),
    "module of PyTorch": lambda path: cli("compile", path, "--emit", "torch"),
}


@parametrised(CODE)
def test_code(place, door, sink):
    assert doors.program(CODE[sink](spec(door))) == harmless(CODE[sink], doors.program)


def javascript(path):
    return cli("compile", path, "--emit", "js", "--embed", "--train", "--look")


@pytest.mark.parametrize("door", DOORS)
def test_javascript(place, door):
    assert doors.script(javascript(spec(door))) == harmless(javascript, doors.script)


# ---- documents and pictures ------------------------------------------------------------------------------


def drawn(kind):
    def draw(path):
        out = Path(f"drawn.{kind}")
        cli("draw", path, "-o", out, "--depth", 3)
        return text_of(out)

    return draw


def report(path):
    cli("report", path, "-o", "report.html")
    return text_of(Path("report.html"))


def exported(path):
    onnx = pytest.importorskip("onnx")
    with model(path) as made:
        found = onnx_model(made.graph, made.parameters, name=path.name)
    onnx.checker.check_model(found, full_check=True)
    return [(node.op_type, len(node.input)) for node in found.graph.node]


def compared(path):
    return cli("diff", path, spec(""), "--json")


DOCUMENTS = {
    "graph": (lambda path: cli("compile", path, "--emit", "json"), doors.document),
    "summary": (lambda path: cli("summary", path, "--json"), doors.document),
    "why": (lambda path: cli("why", path, "--json"), doors.document),
    "diff": (compared, doors.document),
    "ONNX": (exported, list),
}
PICTURES = {
    "SVG": (drawn("svg"), doors.elements),
    "Mermaid": (drawn("mmd"), doors.statements),
    "dot": (drawn("dot"), doors.statements),
    "HTML page": (report, doors.page),
    "notebook": (lambda path: read_spec(path).graph._repr_svg_(), doors.page),
    "notebook of a model": (lambda path: model(path)._repr_html_(), doors.page),
}


@parametrised(DOCUMENTS)
def test_documents(place, door, sink):
    write, skeleton = DOCUMENTS[sink]
    assert skeleton(write(spec(door))) == harmless(write, skeleton)


@parametrised(PICTURES)
def test_pictures(place, door, sink):
    write, skeleton = PICTURES[sink]
    assert skeleton(write(spec(door))) == harmless(write, skeleton)


# ---- terminal --------------------------------------------------------------------------------------------


def formatted(path):
    """`fmt --check` of a spec that would change."""
    other = path.with_name(f"{path.name.removesuffix('.cnn')}-unformatted.cnn")
    other.write_text(text_of(path).replace("->", "  ->"), newline="")
    return cli("fmt", "--check", other) + cli("fmt", other)


TERMINAL = {
    "summary": lambda path: cli("summary", path),
    "why": lambda path: cli("why", path),
    "trace": lambda path: cli("trace", path, "--at", "softmax1"),
    "draw": lambda path: cli("draw", path, "-o", "x.svg"),
    "plan": lambda path: cli("plan", path),
    "passes": lambda path: cli("plan", path, "--after", "fuse_epilogue"),
    "diff": lambda path: cli("diff", path, spec("", "-wrong").with_name(spec("").name)),
    "gradcheck": lambda path: cli("gradcheck", path, "--entries", 1),
    "fmt": formatted,
    "check": lambda path: cli("check", path, path.with_name(path.name.replace(".cnn", "-wrong.cnn"))),
    "report": lambda path: cli("report", path, "-o", path.with_suffix(".html")),
    "run": lambda path: cli("run", path),
}


@parametrised(TERMINAL)
def test_terminal(place, door, sink):
    assert doors.lines(TERMINAL[sink](spec(door))) == harmless(TERMINAL[sink], doors.lines)


# ---- findings --------------------------------------------------------------------------------------------


def checked(kind):
    return lambda path: cli("check", path, "--format", kind, "--quiet")


FINDINGS = {
    "full": (checked("full"), doors.lines),
    "concise": (checked("concise"), doors.lines),
    "GitHub": (checked("github"), doors.annotations),
    "JSON": (checked("json"), doors.document),
    "SARIF": (checked("sarif"), doors.document),
    "JUnit": (checked("junit"), doors.elements),
}


@parametrised(FINDINGS)
def test_findings(place, door, sink):
    write, skeleton = FINDINGS[sink]
    assert skeleton(write(spec(door, "-wrong"))) == harmless(write, skeleton, "-wrong")


# ---- the editor ------------------------------------------------------------------------------------------


def hovered(path):
    document = Document(text_of(path), path)
    found = [hover(document, document.text.index(word) + 1) for word in ("edge ->", "relu", "dense", "input")]
    return "\n\n".join(text for text, _ in filter(None, found))


def completed(path):
    document = Document(text_of(path), path)
    return "\n".join(f"{item.text} {item.detail}" for item in complete(document, document.text.index("edge ->")))


EDITOR = {"hover": (hovered, doors.markdown), "completion": (completed, doors.lines)}


@pytest.mark.parametrize("door", DOORS)
def test_findings_in_the_editor(place, door):
    pytest.importorskip("pygls")
    from cnnspec.editor.lsp.protocol import finding

    found = []
    for path in (spec("", "-wrong"), spec(door, "-wrong")):
        document = Document(text_of(path), path)
        shown = [finding(document, "file:///x.cnn", diagnostic) for diagnostic in document.report.diagnostics]
        texts = [
            *(one.message for one in shown),
            *(r.message for one in shown for r in one.related_information or ()),
        ]
        found.append([doors.lines(text) for text in texts])
    assert found[0] == found[1]


@parametrised(EDITOR)
def test_editor(place, door, sink):
    write, skeleton = EDITOR[sink]
    assert skeleton(write(spec(door))) == harmless(write, skeleton)


def test_the_hostile_text_would_be_obeyed():
    """The skeletons tell a text that was let through from one that was not."""
    with pytest.raises(AssertionError):
        doors.lines(HOSTILE)
    let_through = f"x = 1  # {HOSTILE.splitlines()[1]}\n{HOSTILE.splitlines()[1]}\n"
    assert doors.program(let_through) != doors.program("x = 1  # plain\n")
    assert doors.page(f"<p>{doors.MARKUP}</p>") != doors.page("<p>plain</p>")
    assert doors.statements(f'a["{HOSTILE[-12:]}"]') != doors.statements('a["plain"]')
