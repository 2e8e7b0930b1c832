"""The page in a real browser: what it shows is what the network computed, and it needs nothing else."""

import itertools
import json
import math
import re
from dataclasses import replace

import numpy as np
import pytest
from browser import complaints, requests, resize, show, start, wait
from click.testing import CliRunner
from pictured import PLAIN, SMALL, SPECS, TEXTS, batch, every_word

import cnnspec
from cnnspec.cli import program
from cnnspec.draw.scene import text_width
from cnnspec.explain.explanation import account
from cnnspec.explain.gradcheck import random_batch
from cnnspec.explain.receptive_field import receptive
from cnnspec.explain.subject import Example, Subject
from cnnspec.report.page import HERE, page
from cnnspec.targets.js.module import looked_at_size
from cnnspec.train.history import EpochRecord

LENET = SPECS / "lenet5.cnn"
COMPUTE = (HERE / "compute.js").read_text(encoding="utf-8")


def subject_of(text, count=1, classes=(), name="network"):
    """A network with random parameters, on random images."""
    model = cnnspec.compile(text=text, dtype="float64")
    x, y = batch(model, count)
    examples = tuple(
        Example(f"image {k}", model.arrays(x[k : k + 1], y[k : k + 1]), int(y[k]) if y.ndim == 1 else None)
        for k in range(count)
    )
    return Subject(name, model, examples, classes)


def all_words():
    """A network of every word, its parameters none of the 0 and 1 that some begin as."""
    model = cnnspec.compile(text=every_word(), dtype="float64")
    generator = np.random.default_rng(3)
    for name in model.parameters:
        model.parameters[name] = generator.uniform(-0.6, 0.9, model.parameters[name].shape)
        if name.endswith("running_var"):
            model.parameters[name] = generator.uniform(0.5, 2, model.parameters[name].shape)
    return Subject("words", model, (Example("random numbers", random_batch(model, 1)),))


@pytest.fixture(scope="module")
def driver():
    made = start()
    yield made
    made.quit()


@pytest.fixture(scope="module")
def lenet(tmp_path_factory):
    """LeNet-5 and its page, with two images."""
    subject = subject_of(LENET.read_text(), count=2, classes=tuple("0123456789"), name="LeNet-5")
    path = tmp_path_factory.mktemp("page") / "lenet.html"
    path.write_text(page(subject), encoding="utf-8")
    return subject, path


def printed(value):
    """A number as the page prints it: five digits."""
    return float(f"{value:.5g}")


def number_in(driver, css):
    from selenium.webdriver.common.by import By

    text = driver.find_element(By.CSS_SELECTOR, css).text
    return float(re.search(r"(-?\d[\d.]*(?:e[+-]?\d+)?)$", text)[1])


def click_on(driver, channel, row, column, shape):
    """Click on a pixel of a map, with the mouse."""
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.by import By

    canvas = driver.find_elements(By.CSS_SELECTOR, "#maps canvas")[channel]
    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", canvas)
    size = canvas.size
    x = (column + 0.5) / shape[1] * size["width"] - size["width"] / 2
    y = (row + 0.5) / shape[0] * size["height"] - size["height"] / 2
    ActionChains(driver).move_to_element_with_offset(canvas, round(x), round(y)).click().perform()


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("conv1", (2, 0, 13)),
        ("tanh1", (5, 20, 8)),
        ("avgpool1", (1, 6, 6)),
        ("conv2", (11, 9, 0)),
        ("conv3", (7, 0, 0)),
    ],
)
def test_a_click_shows_the_sum_that_made_the_pixel_and_what_it_sees(driver, lenet, name, index):
    subject, path = lenet
    resize(driver, 1600)
    show(driver, path, name)
    click_on(driver, index[0], *index[1:], subject.graph.type(name).spatial)
    seen = subject.look(subject.examples[0])
    value = seen.values[name][0][index]
    place = f"{name}[{','.join(map(str, index))}]"
    assert driver.find_element("id", "value").text.startswith(f"{place} = ")
    assert number_in(driver, "#value") == printed(value)
    if account(subject.graph, subject.graph[name]).kind == "filter":
        assert number_in(driver, "#sum") == printed(value)
    box = receptive(subject.graph, "input")[name].at(index)
    (top, bottom), (left, right) = box
    told = driver.find_element("id", "receptive").text
    assert told == f"{place} sees rows {top} to {bottom - 1} and columns {left} to {right - 1}"
    slope = re.search(r"number = (\S+)", driver.find_element("id", "result").text)[1]
    assert float(slope) == printed(seen.gradients[name][0][index])
    assert complaints(driver) == []


def test_the_matrices_of_a_pixel_are_its_patch_its_kernel_and_their_products(driver, lenet):
    subject, path = lenet
    show(driver, path, "conv2[3,4,5]")
    seen = subject.look(subject.examples[0])
    weight = subject.model.parameters["conv2.weight"]
    driver.execute_script("for (const d of document.querySelectorAll('#sums details')) d.open = true")
    filled = "return [...document.querySelectorAll('#sums details')].every((group) => group.querySelector('table'))"
    wait(driver, lambda d: d.execute_script(filled))
    script = """return [...document.querySelectorAll('#sums details')].map(group =>
        [...group.querySelectorAll('table')].map(table =>
            [...table.querySelectorAll('td')].map(cell => Number(cell.dataset.number))))"""
    groups = driver.execute_script(script)
    assert len(groups) == 6
    for c, (patch, kernel, products) in enumerate(groups):
        wanted = seen.values["avgpool1"][0][c, 4:9, 5:10]
        assert patch == pytest.approx(wanted.reshape(-1).tolist(), rel=1e-12, abs=1e-15)
        assert kernel == weight[3, c].reshape(-1).tolist()
        assert products == pytest.approx((wanted * weight[3, c]).reshape(-1).tolist(), rel=1e-12)
    total = (
        sum(itertools.chain(*(products for _, _, products in groups))) + subject.model.parameters["conv2.bias"][3]
    )
    assert total == pytest.approx(seen.values["conv2"][0][3, 4, 5], rel=1e-12)


NETS = {
    **PLAIN, **SMALL, "vectors": TEXTS["vectors"], "every word": every_word(),
    "grown": "input 2x5x4\nupconv 4x3x2 stride 2 pad 1 output_pad 1 groups 2 -> upsample 2 -> dense 3 -> softmax",
}  # fmt: skip
VISIT = """return arguments[0].map(place => {
    window.history.replaceState(null, "", "#" + place);
    window.dispatchEvent(new Event("hashchange"));
    const value = document.getElementById("value"), agreement = document.getElementById("agreement");
    const back = document.getElementById("back-agreement");
    const ways = [agreement, back].map(found => found && found.className);
    return [value.textContent, Number(value.dataset.number), ...ways];
})"""


@pytest.mark.parametrize("name", NETS)
def test_every_number_is_what_the_plan_computed(driver, tmp_path, name):
    """Whatever the page can compute again agrees, in every layer, at places drawn at random."""
    subject = all_words() if name == "every word" else subject_of(NETS[name])
    path = tmp_path / "page.html"
    path.write_text(page(subject), encoding="utf-8")
    show(driver, path)
    seen = subject.look(subject.examples[0])
    generator = np.random.default_rng(0)
    drawn = [
        (node, tuple(int(generator.integers(size)) for size in node.type.shape))
        for node in subject.graph
        for _ in range(1 if name == "every word" else 6)  # browsers take few changes of address a second
    ]
    places = [f"{node.name}[{','.join(map(str, index))}]" for node, index in drawn]
    told = driver.execute_script(VISIT, places)
    for (node, index), place, (text, number, agreement, back) in zip(drawn, places, told, strict=True):
        before, _, value = text.partition(" = ")
        assert before == place and float(value) == printed(number)
        assert number == pytest.approx(seen.values[node.name][0][index], rel=1e-9, abs=1e-12)
        assert agreement == ("agrees" if node.inputs else None), (place, agreement)
        read = any(node.name in other.inputs for other in subject.graph)
        judged = node.name in subject.graph.outputs
        assert back == ("agrees" if read and not judged else None), (place, back)
    assert complaints(driver) == []


def test_the_error_function_of_the_page_is_exact(driver):
    """JavaScript has none: against the standard library's, far into both tails."""
    places = [k / 8 for k in range(-72, 73)] + [1e-9, -3e-5, 2 - 1e-12, 3.0000001, 26.0]
    of_page = driver.execute_script(f"{COMPUTE}\nreturn arguments[0].map(x => [erf(x), erfc(x)])", places)
    for x, (found, rest) in zip(places, of_page, strict=True):
        assert found == pytest.approx(math.erf(x), rel=2e-15, abs=0), x
        assert rest == pytest.approx(math.erfc(x), rel=2e-14, abs=0), x


def test_both_forms_of_gelu_are_computed_once_more(driver, tmp_path):
    text = "input 4x3x3\nconv 2x1x1 -> gelu as a -> gelu form tanh as b -> dense 2 -> softmax"
    subject = subject_of(text)
    for name in ("a", "b"):
        subject.model.parameters["conv1.weight"] *= 4
        path = tmp_path / "page.html"
        path.write_text(page(subject), encoding="utf-8")
        show(driver, path)
        told = driver.execute_script(
            VISIT, [f"{name}[{c},{i},{j}]" for c in range(2) for i in range(3) for j in range(3)]
        )
        assert {agreement for *_, agreement, _ in told} == {"agrees"}


def test_nothing_is_asked_of_a_network(driver, lenet):
    _, path = lenet
    show(driver, path, "conv2[3,4,5]")
    driver.find_element("id", "play").click()
    asked = [url for url in requests(driver) if url != "about:blank"]
    assert asked and all(url.partition("#")[0] == path.as_uri() for url in asked)
    assert "default-src 'none'" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(("scheme", "width"), [("dark", 360), ("light", 1600)])
def test_the_page_fits_a_phone_and_a_wide_screen(driver, lenet, width, scheme):
    _, path = lenet
    resize(driver, width, scheme=scheme)
    for place in ("conv2[3,4,5]", "dense1[7]", "softmax1[2]", "input[0,3,4]"):
        show(driver, path, place)
        inside = driver.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")
        assert inside, f"{place} at {width} pixels makes the page scroll sideways"
    background = driver.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert background == {"light": "rgb(255, 255, 255)", "dark": "rgb(15, 23, 42)"}[scheme]
    assert complaints(driver) == []


def test_the_keyboard_reaches_every_number(driver, lenet):
    from selenium.webdriver.common.keys import Keys

    _, path = lenet
    resize(driver, 1600)
    show(driver, path, "conv2[3,4,5]")
    frame = driver.execute_script("return document.querySelectorAll('#maps .frame')[3]")
    assert frame.get_attribute("tabindex") == "0"
    frame.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_DOWN)
    assert driver.find_element("id", "value").text.startswith("conv2[3,5,6] = ")
    driver.switch_to.active_element.send_keys(Keys.PAGE_DOWN)
    assert driver.find_element("id", "value").text.startswith("conv2[4,5,6] = ")
    assert driver.switch_to.active_element.get_attribute("aria-label").startswith("conv2, channel 4")
    wait(driver, lambda d: d.execute_script("return window.location.hash") == "#conv2[4,5,6]")


def test_a_station_of_the_drawing_leads_to_its_layer(driver, lenet):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    _, path = lenet
    show(driver, path)
    station = driver.find_element(By.CSS_SELECTOR, '#drawing g[data-value="avgpool2"]')
    assert station.get_attribute("role") == "button" and "avgpool2" in station.get_attribute("aria-label")
    station.send_keys(Keys.ENTER)
    assert driver.find_element("id", "layer-heading").text == "avgpool2: avgpool 2"


def test_gradients_are_shown_as_maps_too(driver, lenet):
    from selenium.webdriver.common.by import By

    subject, path = lenet
    show(driver, path, "input[0,10,12]")
    driver.find_element(By.CSS_SELECTOR, "input[value=gradients]").click()
    shown = driver.execute_script(
        "const c = document.querySelector('#maps canvas');"
        "return [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]"
    )
    pixels = np.array(shown).reshape(28, 28, 4)
    gradients = subject.look(subject.examples[0]).gradients["input"][0, 0]
    strong = np.abs(gradients) > 0.5 * np.abs(gradients).max()
    bluish = pixels[..., 2] > pixels[..., 0]
    assert (bluish[strong] == (gradients < 0)[strong]).all()


def test_another_example_has_other_numbers(driver, lenet):
    from selenium.webdriver.support.ui import Select

    subject, path = lenet
    show(driver, path, "dense2[3]")
    Select(driver.find_element("id", "example")).select_by_index(1)
    wait(driver, lambda d: d.execute_script("return document.documentElement.dataset.ready"))
    value = subject.look(subject.examples[1]).values["dense2"][0][3]
    assert number_in(driver, "#value") == printed(value)


def test_the_window_slides_step_by_step(driver, lenet):
    subject, path = lenet
    show(driver, path, "conv1[1,5,27]")
    driver.find_element("id", "step-on").click()
    told = driver.find_element("id", "sliding").text
    value = subject.look(subject.examples[0]).values["conv1"][0][1, 6, 0]
    assert told.startswith("conv1[1,6,0] = ") and float(told.rpartition("= ")[2]) == printed(value)
    slider = driver.find_element("id", "place")
    assert slider.get_attribute("value") == str(6 * 28)
    driver.find_element("id", "play").click()
    wait(driver, lambda d: int(slider.get_attribute("value")) > 6 * 28 + 2)
    driver.find_element("id", "play").click()
    assert driver.find_element("id", "play").text == "play"


def test_everything_that_can_be_used_has_a_name(driver, lenet):
    from selenium.webdriver.common.by import By

    _, path = lenet
    show(driver, path, "conv2[3,4,5]")
    css = "button, select, input, [role=img], [role=button], [tabindex='0']"
    for thing in driver.find_elements(By.CSS_SELECTOR, css):
        if thing.is_displayed():
            assert thing.accessible_name, thing.get_attribute("outerHTML")[:120]
    levels = [int(h.tag_name[1]) for h in driver.find_elements(By.CSS_SELECTOR, "h1, h2, h3")]
    assert levels[0] == 1 and all(b - a <= 1 for a, b in itertools.pairwise(levels))
    assert driver.find_element("id", "result").get_attribute("aria-live") == "polite"


def test_texts_of_a_drawing_take_no_more_room_than_was_reckoned(driver, lenet):
    _, path = lenet
    show(driver, path)
    script = """return [...document.querySelectorAll('#drawing text')].map(text =>
        [text.textContent, text.getAttribute('class'), text.getComputedTextLength()])"""
    for text, style, width in driver.execute_script(script):
        assert width <= text_width(text, style) + 0.5, text


def test_names_can_do_no_harm(driver, tmp_path):
    evil = "</script><script>document.title='gone'</script><b>"
    subject = subject_of(TEXTS["vectors"] + f"\n# {evil} {{{{ numbers }}}}\n", classes=(evil, "b", "c"), name=evil)
    path = tmp_path / "evil.html"
    path.write_text(page(subject), encoding="utf-8")
    show(driver, path)
    assert driver.title == evil and driver.find_element("id", "name").text == evil
    assert "{{ numbers }}" in driver.find_element("id", "spec").text
    assert complaints(driver) == []


def test_what_a_page_computes_takes_no_more_than_it_says():
    model = cnnspec.compile(text="input 1x8x8\nconv 4x3x3 -> relu -> dense 2 -> softmax")
    words = sum(node.type.elements for node in model.graph)
    assert words <= looked_at_size(model.spec) <= 8 * words + sum(array.size for array in model.parameters.values())


def test_a_page_without_workers_computes_beside_them(driver, lenet):
    subject, path = lenet
    text = path.read_text(encoding="utf-8").replace("worker-src blob:", "worker-src 'none'")
    other = path.with_name("no-worker.html")
    other.write_text(text, encoding="utf-8")
    show(driver, other, "conv2[3,4,5]")
    value = subject.look(subject.examples[0]).values["conv2"][0][3, 4, 5]
    assert number_in(driver, "#value") == printed(value)


def test_values_of_examples_that_were_left_go(driver, tmp_path):
    from selenium.webdriver.support.ui import Select

    subject = subject_of("input 1x6x6\nconv 2x3x3 -> dense 3 -> softmax", count=6)
    path = tmp_path / "page.html"
    path.write_text(page(subject), encoding="utf-8")
    show(driver, path, "conv1[1,2,3]")
    for k in (1, 2, 3, 4, 5, 0):
        Select(driver.find_element("id", "example")).select_by_index(k)
        wait(driver, lambda d: d.execute_script("return document.documentElement.dataset.ready"))
        value = subject.look(subject.examples[k]).values["conv1"][0][1, 2, 3]
        assert number_in(driver, "#value") == printed(value)
    assert complaints(driver) == []


# ---- without a browser -----------------------------------------------------------------------------------


def test_the_page_of_lenet_is_small(lenet):
    _, path = lenet
    assert path.stat().st_size < 5e6


@pytest.mark.parametrize("costs", [["0.5"], ["0.5", "0.25"], ["0.5", "nan", "", "inf", "0.1"], ["0.9"] * 40])
def test_few_epochs_are_seen_as_points_and_what_is_no_number_leaves_a_gap(driver, tmp_path, costs):
    header = EpochRecord.columns()
    rows = (f"{k},{cost}{',' * (header.count(',') - 1)}\n" for k, cost in enumerate(costs))
    (tmp_path / "results.csv").write_text(header + "".join(rows))
    summary = {"status": "finished", "epochs": len(costs), "parameters": 1, "seconds": 1.0, "spec_sha256": "0" * 64}
    told = {**summary, "test_accuracy": None, "test_cost": None, "images_per_second": None}
    (tmp_path / "summary.json").write_text(json.dumps(told))
    path = tmp_path / "page.html"
    path.write_text(page(replace(subject_of(SMALL["numbers"]), run=tmp_path)), encoding="utf-8")
    show(driver, path)
    known = sum(cost not in ("nan", "inf", "") for cost in costs)
    assert len(driver.find_elements("css selector", "#charts circle")) == (known if known < 40 else 0)
    assert len(driver.find_elements("css selector", "#charts polyline")) == 1
    epochs = f"{len(costs)} epoch{'s' * (len(costs) > 1)}"
    assert driver.find_element("id", "trained").text == f"finished after {epochs}, 1 s"
    assert complaints(driver) == []


@pytest.mark.parametrize(("width", "lines"), [(360, 3), (1600, 1)])
def test_patch_kernel_and_products_are_whole_and_in_sight(driver, lenet, width, lines):
    """Side by side on a wide screen, below one another on a phone, nowhere cut off."""
    _, path = lenet
    resize(driver, width)
    for c in range(3):
        show(driver, path, f"conv2[{c},4,5]")
        boxes = driver.execute_script(
            """return [...document.querySelectorAll('#sums details[open] .matrices')].map(row => [
                row.scrollWidth - row.clientWidth,
                ...[...row.querySelectorAll('table')].map(table => table.getBoundingClientRect().y)])"""
        )
        assert len(boxes) == 1
        for hidden, *tops in boxes:
            assert hidden <= 0 and len({round(top) for top in tops}) == lines


def test_the_command_writes_a_page_of_a_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    spec = tmp_path / "tiny.cnn"
    spec.write_text("conv 2x3x3 stride 2 -> relu -> dense 10 -> softmax\ntrain { epochs 1 ; batch 500 }\n")
    trained = CliRunner().invoke(program, ["run", str(spec), "--workers", "1"], standalone_mode=False)
    assert trained.exception is None, trained.exception
    result = CliRunner().invoke(program, ["report", "runs/tiny-001"], standalone_mode=False)
    assert result.exception is None, result.exception
    made = (tmp_path / "runs" / "tiny-001" / "report.html").read_text(encoding="utf-8")
    assert "test image 0 of digits, a 7" in made and '"validation_accuracy"' in made


def test_scripts_write_text_and_never_markup():
    """Names and titles on the page come from files of others; no way into markup or code is used for them."""
    ways = r"innerHTML|outerHTML|insertAdjacent|document\.write|ContextualFragment|DOMParser|\beval\(|Function\("
    for script in HERE.glob("*.js"):
        assert not re.search(ways, script.read_text()), script.name


def test_the_account_stays_in_view_beside_the_maps(driver, lenet):
    _, path = lenet
    resize(driver, 1400, 900)
    show(driver, path, "conv2[3,4,5]")
    click_on(driver, 15, 2, 3, (10, 10))
    assert driver.find_element("id", "value").text.startswith("conv2[15,2,3] = ")
    script = """const box = document.getElementById(arguments[0]).getBoundingClientRect();
        return [box.top, window.innerHeight - box.bottom]"""
    for what in ("value", "number-heading"):
        assert min(driver.execute_script(script, what)) >= 0, what


def test_the_way_back_says_why_nothing_comes_and_leads_on(driver, tmp_path):
    """A closed rectifier, a window that chose another number, and a number that nothing is made of."""
    text = "input 1x4x4\nconv 1x1x1 -> relu -> maxpool 2 -> crop 1x1 -> flatten -> dense 2 -> softmax"
    model = cnnspec.compile(text=text, dtype="float64")
    model.parameters["conv1.weight"], model.parameters["conv1.bias"] = np.ones((1, 1, 1, 1)), np.zeros(1)
    x = np.arange(16.0).reshape(1, 1, 4, 4) - 12.5
    subject = Subject("back", model, (Example("a ramp", model.arrays(x, np.array([1])), 1),))
    path = tmp_path / "back.html"
    path.write_text(page(subject), encoding="utf-8")
    said = {
        "conv1[0,0,0]": "Nothing comes back: relu is flat here: of -12.5 it makes 0.",
        "relu1[0,0,1]": "Nothing comes back: another number of its window was chosen.",
        "maxpool1[0,1,1]": "Nothing is made of this number: no gradient comes back.",
    }
    show(driver, path)
    for place, reason in said.items():
        driver.execute_script(VISIT, [place])
        assert reason in driver.find_element("id", "back").text, place
    driver.execute_script(VISIT, ["crop1[0,0,0]"])
    driver.find_element("css selector", "#back button").click()
    assert driver.find_element("id", "value").text.startswith("flatten1[0] = ")
    assert complaints(driver) == []
