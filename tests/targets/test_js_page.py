"""JavaScript modules and scripts in Chromium: the numbers are those of the definitions there too."""

import browser
import numpy as np
import pytest
import scripts
import steps
from networks import engine_for, outputs_of, values_for

from cnnspec.api import read_spec
from cnnspec.targets.js import lines
from cnnspec.targets.js.module import module_source

SPEC = """
input 2x9x8
conv 4x3x3 pad same bias off -> bn -> gelu -> maxpool 2 -> conv 6x3x2 stride 2 -> layernorm -> mish
  -> dense 5 -> softplus -> dropout 30% -> dense 3 -> softmax
train { optimiser adamw lr 2e-3 clip 1 ; schedule cosine }
"""
POLICY = (
    "default-src 'none'; script-src 'nonce-x'{more}; worker-src blob:; style-src 'none'; base-uri 'none'; "
    "form-action 'none'"
)
PAGE = """<!doctype html><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<script nonce="x">{script}</script>
<script nonce="x">
const net = network.create(), images = {images};
const found = [net.room.constructor.name, ...net.predict(images).softmax1];
document.documentElement.dataset.found = JSON.stringify(found);
document.documentElement.dataset.ready = true;
</script>
"""


@pytest.fixture(scope="module")
def driver():
    made = browser.start()
    yield made
    made.quit()


def test_a_module_in_a_page(driver, tmp_path):
    """Predicts, shows and learns, as in Node."""
    spec = read_spec(text=SPEC)
    engine = engine_for(spec.graph, spec.train.cost)
    given = values_for(spec.graph)
    classes = [2, 0, 1]
    generator = np.random.default_rng(0)
    randoms = generator.random(500).tolist()
    calls = [["predict", given], ["look", given, classes], ["value", "maxpool1", 2], ["gradient", "conv1.weight"]]
    calls += [["learn", given, classes], ["get", "conv2.weight"], ["measure", given, classes]]
    source = module_source(spec, engine.parameters, train=True, look=True)
    job = scripts.job(source, engine.parameters, calls, randoms, dtype="float64")
    driver.get("about:blank")
    (found,) = scripts.run_in_page(driver, [job])
    (expected,) = outputs_of(engine, given)
    np.testing.assert_allclose(found[0]["softmax1"], expected.reshape(-1), rtol=1e-9, atol=1e-12)
    if scripts.there():
        (same,) = scripts.run(tmp_path, [job])
        for mine, other in zip(found, same, strict=True):
            for key in mine if isinstance(mine, dict) else [None]:
                a, b = (each if key is None else each[key] for each in (mine, other))
                np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-13)


def of_steps(driver, made):
    driver.get("about:blank")
    for found, (_, expected) in zip(scripts.run_in_page(driver, [job for job, _ in made]), made, strict=True):
        steps.compare(found, expected)


def test_steps_of_some_words_in_a_page(driver):
    of_steps(driver, [steps.one_step(read_spec(text=text)) for text in [*steps.TEXTS.values()][::7]])


@pytest.mark.slow
def test_steps_of_every_word_and_of_random_nets_in_a_page(driver, monkeypatch):
    for op, line in steps.OWN_LINES.items():
        monkeypatch.setitem(lines.LINES, op, line)
    of_steps(driver, [steps.one_step(read_spec(text=text)) for text in steps.TEXTS.values()])
    for start in range(0, 200, 50):
        of_steps(driver, [steps.random_step(seed) for seed in range(start, start + 50)])


@pytest.mark.parametrize("policy, room", [("", "Room"), (" 'wasm-unsafe-eval'", "SimdRoom")])
def test_a_script_in_a_page_that_is_opened_as_a_file(driver, tmp_path, policy, room):
    """Under a policy that forbids WebAssembly it goes on in JavaScript; nothing is asked for."""
    spec = read_spec(text=SPEC)
    engine = engine_for(spec.graph, dtype="float32")
    given = values_for(spec.graph, dtype="float32")
    script = module_source(spec, engine.parameters, embed=True, script=True)
    images = given["input"].reshape(-1).tolist()
    page = PAGE.format(policy=POLICY.format(more=policy), script=script, images=images)
    (tmp_path / "page.html").write_text(page, encoding="utf-8")
    browser.show(driver, tmp_path / "page.html")
    kind, *found = driver.execute_script("return JSON.parse(document.documentElement.dataset.found)")
    assert kind == room
    np.testing.assert_allclose(found, outputs_of(engine, given)[0].reshape(-1), rtol=1e-3, atol=1e-5)
    assert [url for url in browser.requests(driver) if not url.endswith("page.html")] == []
