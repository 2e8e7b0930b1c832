"""A link with the weights as they are trained, where it has room for them; nothing of it is taken for granted."""

import pytest
from browser import complaints
from lab import Lab

SMALL = """input 1x28x28
conv 4x5x5 stride 2 -> bn -> relu -> maxpool 2 -> dense 10 -> softmax
data { source digits }
train { optimiser adam lr 1e-2; batch 64; epochs 2; seed 1 }
"""


def shared(lab, driver):
    lab.js("document.getElementById('said').textContent = ''")
    lab.find("#share").click()
    lab.until(lambda: lab.text("said").startswith("The link is "))
    return driver.current_url


def test_a_link_holds_what_was_learnt(driver, server):
    lab = Lab(driver, server.address)
    lab.type(SMALL, anew=True)
    assert "." not in shared(lab, driver).partition("#")[2], "as long as nothing is learnt the seed says it all"
    learnt = lab.trained("one-epoch")
    link = shared(lab, driver)
    assert "It holds the weights." in lab.text("said") and len(link) < 8000
    other = Lab(driver, link)
    other.until(lambda: "those of the link" in other.text("said"))
    assert other.accuracy() == pytest.approx(learnt, abs=0.15)  # to 16 bits
    with other.inside():
        pass
    again = shared(other, driver)
    assert again.partition(".")[2].count(".") == link.partition(".")[2].count("."), "and it is sent on"
    damaged = [link[:-9], link + "AAAA", link.rpartition(".")[0] + ".AAAA", link.rpartition(".")[0] + ".-"]
    for each in damaged:
        other = Lab(driver, each)
        other.until(lambda other=other: other.text("said"))
        assert "cannot be taken" in other.text("said") or "damaged" in other.text("said"), each
    assert complaints(driver) == []


def test_a_link_is_followed_while_the_page_is_open(driver, server):
    lab = Lab(driver, server.address)
    lab.type(SMALL, anew=True)
    link = shared(lab, driver)
    lab.choose("specs", "1-convolution")
    lab.ready()
    shared(lab, driver)
    lab.js("window.location.href = arguments[0]", link)
    lab.until(lambda: lab.js("return document.getElementById('text').value") == SMALL)
    lab.ready()
    lab.js("window.location.hash = 'shown'")
    assert lab.js("return document.getElementById('text').value") == SMALL, "another place of the page is no link"
    assert complaints(driver) == []


def test_of_two_links_with_weights_the_later_is_open(driver, server):
    """However long the weights of the first take: they go to no other network, and the others are not lost."""
    lab, links = Lab(driver, server.address), []
    for channels in (4, 6):
        lab.type(SMALL.replace("conv 4", f"conv {channels}"), anew=True)
        lab.trained("one-step")
        links.append(shared(lab, driver))
    lab = Lab(driver, server.address)
    lab.js(
        """const ask = window.fetch, later = () => new Promise((go) => setTimeout(go, 300));
        window.fetch = async (...given) => { await later(); return ask(...given); };
        window.location.href = arguments[0];
        setTimeout(() => { window.location.href = arguments[1]; }, 500);""",
        *links,
    )  # those of the first are taken
    lab.until(lambda: "conv 6" in lab.js("return document.getElementById('text').value"))
    lab.ready()
    lab.until(lambda: "those of the link" in lab.text("said"))
    assert shared(lab, driver).split(".")[-1] == links[1].split(".")[-1] != links[0].split(".")[-1]
    assert complaints(driver) == []


def test_more_weights_than_fit_are_told_of(driver, server):
    lab = Lab(driver, server.address)
    lab.type(SMALL.replace("dense 10", "dense 500 -> relu -> dense 10"), anew=True)
    lab.trained("one-step")
    assert "dense1.weight to " in (shared(lab, driver) and lab.text("said")), "the largest, and no other"
    assert "conv1" not in lab.text("said") and "dense2" not in lab.text("said")
    lab.type(SMALL.replace("dense 10", "dense 2000 -> relu -> dense 10"), anew=True)
    lab.trained("one-step")
    assert "too many for a link" in (shared(lab, driver) and lab.text("said"))
    assert "." not in driver.current_url.partition("#")[2]


PACK = """
const begin = { w: ['uniform', 1, [6, 5]], b: ['fill', 0, [7]] };
const given = new Map([
  ['w', Float32Array.from({ length: 30 }, (_, k) => Math.sin(k))],
  ['b', Float32Array.from({ length: 7 }, (_, k) => k / 7e6)],
]);
const away = (a, b) => Math.max(...a.map((v, k) => Math.abs(v - b[k])));
const back = (bits) => readTensors(writeTensors(unpackWeights(begin, packWeights(begin, given, () => bits))));
return [4, 8, 16].map((bits) => ['w', 'b'].map((name) => away(Array.from(back(bits).get(name)), given.get(name))));
"""


def test_numbers_come_back_as_exact_as_their_bits(driver):
    from cnnspec.lab.assets import page_text
    from cnnspec.report.page import HERE

    driver.get("about:blank")
    scripts = (HERE / "maps.js").read_text(encoding="utf-8") + page_text("tensors.js")
    away = dict(zip((4, 8, 16), driver.execute_script(scripts + PACK), strict=True))
    for bits, (of_matrix, of_vector) in away.items():
        assert 0 < of_matrix <= 0.5 / (2 ** (bits - 1) - 1) * 1.01 and of_vector == 0
