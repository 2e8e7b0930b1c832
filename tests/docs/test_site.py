"""The documentation as a site: whole, with every link, in any light and width, and its search finds."""

import re
from pathlib import Path

import pytest

pytest.importorskip("markdown_it", reason="markdown-it-py makes the pages")
pytest.importorskip("pygments", reason="Pygments colours the pages")

from browser import complaints, requests, resize, show, start, wait
from click.testing import CliRunner

from cnnspec.cli import program
from cnnspec.diagnostics import SpecError
from cnnspec.diagnostics.codes import CODES
from cnnspec.docs import site as sites
from cnnspec.docs.markdown import RenderedPage, rendered
from cnnspec.docs.sources import SourcePage, stored, written
from cnnspec.resources import spec_files

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("docs") / "pages"
    result = CliRunner().invoke(program, ["docs", "-o", str(out)], standalone_mode=False)
    assert result.exception is None, result.exception
    return out


def text(folder, name):
    return (folder / name).read_text(encoding="utf-8")


# ---- what is written -------------------------------------------------------------------------------------


def test_every_page_every_code_and_every_network_is_there(folder):
    assert {f"grammar/{path.name}" for path in (ROOT / "grammar").glob("*.md")} < {str(p.path) for p in written()}
    assert {page.name for page in written()} | {"cookbook.html", "api.html"} == {
        path.name for path in folder.glob("*.html")
    }
    codes, networks, api = text(folder, "codes.html"), text(folder, "cookbook.html"), text(folder, "api.html")
    assert all(f'id="{code.lower()}"' in codes for code in CODES)
    for path in spec_files("*.cnn"):
        assert f'id="{path.stem}"' in networks and (folder / "drawings" / f"{path.stem}.svg").exists()
    assert all(f'id="{name}"' in api for name in ("run", "Run", "Run.history", "Model.predict"))
    assert "<object object" not in api and "batch      images of a step" in api and "&#39;str" not in api
    index = text(folder, "index.html")
    assert all(f'href="{path.name}"' in index for path in folder.glob("*.html"))


def test_every_link_of_the_folder_leads_somewhere(folder):
    """Read anew from what was written, in another way than the site checks itself."""
    for page in folder.glob("*.html"):
        marks = re.findall(r'\bid="([^"]+)"', page.read_text(encoding="utf-8"))
        assert len(marks) == len(set(marks)), page.name
        for target in re.findall(r'(?:href|src)="([^"]+)"', page.read_text(encoding="utf-8")):
            if target.startswith("https://"):
                continue
            name, _, place = target.partition("#")
            other = folder / name if name else page
            assert other.is_file(), (page.name, target)
            assert not place or f'id="{place}"' in other.read_text(encoding="utf-8"), (page.name, target)


@pytest.mark.parametrize(
    ("line", "dead"),
    [
        ("[a](guide.md#convolution)", False),
        ("[a](guide.md#no-such-heading)", True),
        ("[a](no-such-page.md)", False),  # nothing of the site: it is text
        ("![a](pictures/conv.svg)", False),
        ("![a](pictures/none.svg)", True),
        ("[a](#a-page)", False),
        ("[a](#another)", True),
        ("[a](../cnnspec/api.py)", False),
    ],
)
def test_a_link_that_leads_nowhere_is_a_finding(monkeypatch, line, dead):
    page = SourcePage(stored_path := written()[2].path.with_name("mine.md"), "mine.html", f"# A page\n\n{line}\n")
    guide = next(page for page in written() if page.name == "guide.html")
    guide = guide._replace(text="# Guide\n\n## Convolution\n")
    monkeypatch.setattr(sites, "written", lambda: [page, guide])
    monkeypatch.setattr(sites, "cookbook", lambda: (RenderedPage("", ()), {}))
    assert stored_path.parent.name == "grammar"
    if not dead:
        assert "mine.html" in sites.site()
        return
    with pytest.raises(SpecError) as raised:
        sites.site()
    (found,) = raised.value.diagnostics
    assert found.code == "CNN581" and "mine.html" in found.message


def test_what_is_no_site_is_not_written_into(tmp_path, folder, monkeypatch):
    monkeypatch.setattr(sites, "site", lambda: {"index.js": (folder / "index.js").read_bytes()})
    (tmp_path / "thesis.txt").write_text("words")
    result = CliRunner().invoke(program, ["docs", "-o", str(tmp_path)], standalone_mode=False)
    assert "not empty" in str(result.exception) and [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    assert CliRunner().invoke(program, ["docs", "-o", str(folder)], standalone_mode=False).exception is None


def test_the_page_of_a_code_is_where_a_release_says(monkeypatch):
    from cnnspec.diagnostics.formats import checked

    assert checked.url("CNN103") == "grammar/codes.md#cnn103"
    monkeypatch.setattr(checked, "PAGES", "https://pages.example/cnnspec/")
    assert checked.url("CNN103") == "https://pages.example/cnnspec/codes.html#cnn103"


def test_markdown_of_a_page():
    part = rendered(
        "# A `b` c\n\nsaid [more](x.md) and [no](y.md) <!-- hidden -->\n\n## Twice\n\n## Twice\n\n"
        "```cnn\nconv 8x3x3 # <b>\n```\n\n<!-- command: run -->\n\n| | a |\n| - | - |\n| b | c |\n",
        {"x.md": "x.html"}.get,
        html=True,
    )
    assert [section.anchor for section in part.sections] == ["a-b-c", "twice", "twice-1"]
    assert part.title == "A b c" and part.sections[0].text == "said more and no "
    assert '<a href="x.html">more</a> and no' in part.html and "command" not in part.html
    assert "&lt;b&gt;" in part.html and '<span class="nf">conv</span>' in part.html.replace("\n", "")
    assert "conv 8x3x3" in part.sections[2].text and 'class="scroll"' in part.html
    assert part.html.count("<th>") == part.html.count("</th>") == 1


def test_files_of_the_repository_are_found_where_they_are(tmp_path, monkeypatch):
    from pathlib import PurePosixPath

    assert stored(PurePosixPath("README.md")).is_file() and stored(PurePosixPath("grammar/ci/action.yml")).is_file()


# ---- in a browser ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def driver():
    made = start()
    resize(made, 1600, 1000)
    yield made
    made.quit()


ASK = """
const field = document.getElementById("search");
field.focus();
field.value = arguments[0];
field.dispatchEvent(new Event("input"));
"""
FOUND = "return [...document.querySelectorAll('#found li')].map((item) => [item.dataset.to, item.innerText]);"


@pytest.mark.parametrize(
    ("asked", "first"),
    [("CNN103", "codes.html#cnn103"), ("conv", "language.html#conv"), ("learning rate", None)],
)
def test_the_search_finds(driver, folder, asked, first):
    show(driver, folder / "speed.html")
    driver.execute_script(ASK, asked)
    wait(driver, lambda d: d.execute_script(FOUND))
    found = driver.execute_script(FOUND)
    assert all(word in " ".join(said for _, said in found).lower() for word in asked.lower().split())
    assert first is None or found[0][0] == first
    driver.find_element("id", "search").send_keys("\ue007")  # Enter
    wait(driver, lambda d: d.current_url.endswith(found[0][0]))
    driver.execute_script(ASK, "no such word anywhere")
    wait(driver, lambda d: d.execute_script("return document.getElementById('count').textContent") == "0 places")
    away = [one for one in requests(driver) if not one.startswith((folder.as_uri(), "about:", "data:"))]
    assert away == [] and complaints(driver) == []


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1600, "light")])
def test_no_page_is_wider_than_its_window(driver, folder, width, scheme):
    resize(driver, width, 900, scheme)
    for page in sorted(folder.glob("*.html")):
        show(driver, page)
        wide, lost = driver.execute_script(
            "const lost = [...document.images].filter((image) => image.complete && !image.naturalWidth);"
            "return [document.documentElement.scrollWidth, lost.length]"
        )
        assert wide <= width, (page.name, wide)
        assert lost == 0, page.name
    assert complaints(driver) == []
