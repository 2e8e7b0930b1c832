"""The page by keyboard alone, its blocks, its way back from every change, its contrast."""

import numpy as np
import pytest
from browser import complaints, resize, show, start, wait
from manners import contrasts, faults
from pictured import TEXTS

import cnnspec
from cnnspec.data.dataset import Scaling
from cnnspec.data.preparation import Preparation
from cnnspec.explain.subject import Example, Subject
from cnnspec.report.page import page

READY = "return document.documentElement.dataset.ready"


@pytest.fixture(scope="module")
def driver():
    made = start()
    resize(made, 1400, 900)
    yield made
    made.quit()


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    model = cnnspec.compile(text="input 1x12x12\nconv 3x3x3 stride 2 -> relu -> dense 4 -> softmax", seed=3)
    scaling, classes = Scaling((1 / 255,), (-0.1,)), tuple("abcd")
    kept = Preparation((1, 12, 12), scaling, "bytes", (0, 255), classes, "digits", colour=False)
    x = np.random.default_rng(0).normal(size=(1, 1, 12, 12)).astype(np.float32)
    example = Example("noise", model.arrays(x, np.array([3])), 3)
    subject = Subject("net", model, (example,), classes, preparation=kept)
    path = tmp_path_factory.mktemp("manners") / "page.html"
    path.write_text(page(subject), encoding="utf-8")
    return path


def number(driver):
    wait(driver, lambda d: d.execute_script(READY))
    return float(driver.find_element("id", "value").get_attribute("data-number"))


def test_everything_is_reached_by_tab_and_shows_that_it_has_the_focus(driver, digits):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    show(driver, digits, "conv1[2,1,1]")
    css = "a[href], button, select, input, summary, [tabindex='0']"
    wanted = driver.execute_script(
        """return [...document.querySelectorAll(arguments[0])].filter((one, k) => {
            one.dataset.k = k;
            const folded = one.closest('details:not([open]) > :not(summary)');
            return one.offsetParent !== null && one.type !== 'radio' && !folded;
        }).map((one) => one.dataset.k)""",
        css,
    )
    seen = {}
    for _ in range(2 * len(wanted)):
        ActionChains(driver).send_keys(Keys.TAB).perform()
        k, style = driver.execute_script(
            """const one = document.activeElement, { outlineStyle, outlineWidth } = getComputedStyle(one);
            return [one.dataset.k ?? '', `${outlineStyle} ${outlineWidth}`]"""
        )
        seen[k] = style
        if set(wanted) <= seen.keys():
            break
    assert set(wanted) <= seen.keys()
    assert {seen[k] for k in wanted} == {"solid 3px"}


def test_a_number_of_a_kernel_is_changed_by_keys(driver, digits):
    from selenium.webdriver.common.keys import Keys

    show(driver, digits, "conv1[2,1,1]")
    before = number(driver)
    driver.find_element("css selector", "#sums [data-cell='0:0']").send_keys(Keys.ARROW_RIGHT, Keys.ARROW_DOWN)
    active = driver.switch_to.active_element
    assert active.get_attribute("data-cell") == "0:4"
    active.send_keys(Keys.ENTER)
    field = driver.switch_to.active_element
    assert field.get_attribute("aria-label") == "conv1, filter 2, channel 0, number 4"
    field.send_keys("2.5", Keys.ENTER)
    wait(driver, lambda d: number(d) != before)
    wait(driver, lambda d: d.switch_to.active_element.get_attribute("data-cell") == "0:4")
    assert driver.find_element("css selector", "#sums [data-cell='0:4']").get_attribute("data-number") == "2.5"
    driver.switch_to.active_element.send_keys(Keys.CONTROL, "z")
    wait(driver, lambda d: number(d) == before)
    assert complaints(driver) == []


def test_strokes_and_covered_parts_are_undone_one_by_one(driver, digits):
    from selenium.webdriver.common.action_chains import ActionChains

    show(driver, digits, "softmax1[0]")
    values = [number(driver)]
    pad = driver.find_element("id", "pad")
    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", pad)
    pixels = "const p = document.getElementById('pad'); return p.toDataURL()"
    pads = [driver.execute_script(pixels)]
    for x in (-60, 20):
        pen = ActionChains(driver, duration=20).move_to_element_with_offset(pad, x, -50).click_and_hold()
        pen.move_by_offset(30, 80).release().perform()
        wait(driver, lambda d: d.execute_script(pixels) != pads[-1])
        driver.execute_async_script("setTimeout(arguments[0], 150)")
        values.append(number(driver))
        pads.append(driver.execute_script(pixels))
    over = driver.find_element("css selector", "#picture .frame")
    pen = ActionChains(driver, duration=20).move_to_element_with_offset(over, -90, -90).click_and_hold()
    pen.move_by_offset(100, 100).release().perform()
    wait(driver, lambda d: "covered" in d.find_element("id", "changed").text)
    number(driver)
    assert len(set(values)) == 3
    button = driver.find_element("css selector", "#own button.undo")
    for value, drawn in zip(reversed(values), reversed(pads), strict=True):
        button.click()
        wait(driver, lambda d, value=value: number(d) == pytest.approx(value, rel=1e-9))
        assert driver.execute_script(pixels) == drawn
    assert not button.is_displayed() and driver.find_element("id", "changed").text == ""
    assert complaints(driver) == []


def test_blocks_are_folded_until_they_are_opened(driver, tmp_path):
    model = cnnspec.compile(text=TEXTS["blocks in blocks"], dtype="float64")
    x = np.random.default_rng(0).normal(size=(1, *model.graph.type("input").shape))
    path = tmp_path / "blocks.html"
    subject = Subject("blocks", model, (Example("noise", model.arrays(x, np.array([1]))),))
    path.write_text(page(subject), encoding="utf-8")
    show(driver, path, "dense1[0]")

    def rows():
        shown = (row for row in driver.find_elements("css selector", "#layers tr")[1:] if row.is_displayed())
        return [row.find_element("css selector", "th").text for row in shown]

    folded = ["input", "▸ outer1", "▸ outer2", "maxpool1", "▸ outer3", "flatten1", "dense1", "softmax1"]
    assert rows() == folded
    first = driver.find_element("css selector", "#layers [data-block=outer1]")
    assert first.get_attribute("aria-expanded") == "false"
    first.click()
    assert rows()[:5] == ["input", "▾ outer1", "▸ inner1", "▸ inner2", "▸ inner3"]
    first.click()
    assert rows() == folded
    place = next(node.name for node in model.graph if len(node.blocks) == 2)
    driver.execute_script("window.location.hash = arguments[0]", f"{place}[0,1,1]")
    wait(driver, lambda d: place in rows())  # a layer that is chosen is in sight
    drawings = driver.find_elements("css selector", "#drawing > svg")
    assert [one.is_displayed() for one in drawings] == [True, False]
    driver.find_element("id", "unfold").click()
    assert [one.is_displayed() for one in drawings] == [False, True]
    assert driver.find_element("id", "unfold").get_attribute("aria-expanded") == "true"


def test_the_window_slides_with_its_sum_at_the_pace_that_is_chosen(driver, digits):
    from selenium.webdriver.support.ui import Select

    show(driver, digits, "conv1[1,0,0]")
    cells = """return [...document.querySelectorAll('#slide-sums table')].map((one) =>
        [...one.querySelectorAll('td')].map((cell) => Number(cell.dataset.number)))"""
    patch, kernel, products = driver.execute_script(cells)
    assert products == pytest.approx([a * b for a, b in zip(patch, kernel, strict=True)])
    Select(driver.find_element("id", "pace")).select_by_visible_text("fast")
    driver.find_element("id", "play").click()
    wait(driver, lambda d: d.find_element("id", "play").text == "play")  # it came to the end
    assert driver.find_element("id", "place").get_attribute("value") == "24"
    assert driver.execute_script(cells)[0] != patch


@pytest.mark.parametrize(("width", "scheme"), [(1400, "dark"), (360, "light")])
def test_everybody_can_use_it(driver, digits, width, scheme):
    """Names, roles, order, contrast (tinted cells of matrices included), in every part of the page."""
    resize(driver, width, 900, scheme=scheme)
    show(driver, digits, "conv1[2,1,1]")
    driver.find_element("css selector", "#sums [data-cell='0:0']").click()
    driver.find_element("css selector", "#silence").click()
    number(driver)
    driver.find_element("css selector", "#picture .frame").send_keys("\ue015")
    assert faults(driver) == []
    assert len(list(contrasts(driver))) > 60
    resize(driver, 1400, 900)


WRONG = {  # a piece of a page, and what is wrong with it
    "<button></button>": "a button without a name",
    "<p style='color: %23999'>faint</p>": "2.85 to 1",
    "<p tabindex=3>later</p>": "out of the order",
    "<i id=a></i><i id=a></i>": "the id a stands 2 times",
    "<h4>deep</h4>": "a heading of level 4 below one of 1",
    "<p aria-labelledby=nobody>text</p>": "leads to nobody",
    "<div role=option>one</div>": "a option outside of a listbox",
    "<div aria-hidden=true><button>b</button></div>": "hidden, and has the focus",
    "<div style='overflow: auto; width: 90px'><pre>a long line without room</pre></div>": "no key scrolls it",
}


@pytest.mark.parametrize("piece", WRONG)
def test_what_is_wrong_with_a_page_is_found(driver, piece):
    page = f"data:text/html,<html lang=en><title>t</title><main><h1>t</h1>{piece}</main>"
    driver.get(page)
    assert any(WRONG[piece] in fault for fault in faults(driver))
    driver.get(page.replace(piece, "<button>b</button><p>text</p>"))
    assert faults(driver) == []


def test_a_digit_is_drawn_by_keys(driver, digits):
    from selenium.webdriver.common.keys import Keys

    show(driver, digits, "softmax1[0]")
    before, pad = number(driver), driver.find_element("id", "pad")
    bytes_ = """const pad = document.getElementById('pad');
        const { data } = pad.getContext('2d').getImageData(0, 0, pad.width, pad.height);
        return [...data].filter((_, k) => k % 4 === 0)"""
    pad.send_keys(Keys.ARROW_UP * 6, Keys.ARROW_LEFT * 2)
    assert min(driver.execute_script(bytes_)) == 255, "the pen is up"
    pad.send_keys(Keys.SPACE, Keys.ARROW_DOWN * 10, Keys.ESCAPE, Keys.ARROW_RIGHT * 8)
    drawn = np.array(driver.execute_script(bytes_)).reshape(196, 196) < 128
    rows, columns = np.flatnonzero(drawn.any(1)), np.flatnonzero(drawn.any(0))
    # from (98 - 42, 98 - 14) 70 down, as broad as the pen
    assert (rows[0], rows[-1]) == (pytest.approx(48, abs=1), pytest.approx(133, abs=1))
    assert (columns[0], columns[-1]) == (pytest.approx(76, abs=1), pytest.approx(91, abs=1))
    wait(driver, lambda d: d.find_element("id", "example").get_attribute("value") == "own")
    assert number(driver) != before
    assert "pen is up" in driver.find_element("id", "pen-said").text
    pad.send_keys(Keys.DELETE)
    wait(driver, lambda d: number(d) == before)
    assert min(driver.execute_script(bytes_)) == 255
    pad.send_keys(Keys.CONTROL, "z")
    wait(driver, lambda d: number(d) != before)
    assert complaints(driver) == []


def test_a_part_is_covered_by_keys(driver, digits):
    from selenium.webdriver.common.keys import Keys

    show(driver, digits, "input[0,6,6]")
    picture = driver.find_element("css selector", "#picture .frame")
    picture.send_keys(Keys.ARROW_UP, Keys.ARROW_LEFT)
    assert driver.find_element("id", "pointed").text == "rows 3 to 6, columns 3 to 6: Enter covers them"
    picture.send_keys(Keys.SHIFT, Keys.ARROW_RIGHT * 50)
    assert driver.find_element("id", "pointed").text == "rows 3 to 6, columns 3 to 11: Enter covers them"
    before = number(driver)
    driver.switch_to.active_element.send_keys(Keys.ENTER)
    wait(driver, lambda d: number(d) != before)
    assert "input: rows 3 to 6, columns 3 to 11 covered" in driver.find_element("id", "changed").text
    active = driver.switch_to.active_element
    assert active == driver.find_element("css selector", "#picture .frame"), "one goes on from there"
    active.send_keys(Keys.ARROW_LEFT * 50)
    assert "columns 0 to 8" in driver.find_element("id", "pointed").text
    active.send_keys(Keys.ESCAPE)
    assert driver.find_element("id", "pointed").text == ""
    driver.switch_to.active_element.send_keys(Keys.CONTROL, "z")
    wait(driver, lambda d: number(d) == before)
    assert complaints(driver) == []
