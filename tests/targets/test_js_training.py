"""JavaScript modules that learn, against the definitions and the NumPy engine, in float64."""

from __future__ import annotations

import json
import re
from math import exp
from math import sqrt as sqrt_of  # no function whose source Python has

import numpy as np
import pytest
import scripts
import steps
from networks import engine_for

from cnnspec.api import read_spec
from cnnspec.data.preparation import Preparation
from cnnspec.diagnostics import SpecError
from cnnspec.runtime.engine import Engine
from cnnspec.settings.augment import AUGMENTATIONS
from cnnspec.settings.optimiser import Optimiser
from cnnspec.settings.optimisers import OPTIMISERS
from cnnspec.settings.schedules import SCHEDULES
from cnnspec.targets.js import augmentations, lines, translate, update
from cnnspec.targets.js.bundle import used
from cnnspec.targets.js.module import module_source


@pytest.fixture(scope="module")
def learnt(tmp_path_factory):
    scripts.need_node()
    made = [steps.one_step(read_spec(text=text)) for text in steps.TEXTS.values()]
    found = scripts.run(tmp_path_factory.mktemp("learnt"), [job for job, _ in made])
    return {name: (mine, want) for name, mine, (_, want) in zip(steps.TEXTS, found, made, strict=True)}


@pytest.mark.parametrize("name", steps.TEXTS)
def test_a_step_of_each_word_and_each_cost(learnt, name):
    steps.compare(*learnt[name])


@pytest.fixture
def own_lines(monkeypatch):
    """The primitives of the tests' own word."""
    for op, line in steps.OWN_LINES.items():
        monkeypatch.setitem(lines.LINES, op, line)


def of_random_nets(folder, seeds):
    made = [steps.random_step(seed) for seed in seeds]
    for found, (_, expected) in zip(scripts.run(folder, [job for job, _ in made]), made, strict=True):
        steps.compare(found, expected)


def test_a_step_of_random_nets(own_lines, tmp_path):
    of_random_nets(tmp_path, range(12))


@pytest.mark.slow
def test_a_step_of_many_random_nets(own_lines, tmp_path):
    of_random_nets(tmp_path, range(12, 200))


SMALL = """
input 2x8x8
conv 4x3x3 pad same bias off -> bn -> relu -> maxpool 2 -> conv 4x3x3 groups 2 stride 2 -> gelu
  -> dense 6 -> layernorm -> tanh -> dense 3 -> softmax
train {{ optimiser {optimiser} ; schedule {schedule} ; batch 6 }}
"""
SETTINGS = {cls.word: cls.word for cls in OPTIMISERS} | {
    "sgd": "sgd lr 0.05 momentum 0.9 nesterov on weight_decay 1e-3 clip 1",
    "rmsprop": "rmsprop lr 1e-3 momentum 0.5",
    "adagrad": "adagrad lr 0.02 lr_decay 1e-2",
    "adam": "adam lr 2e-3 weight_decay 1e-2",
    "adamw": "adamw lr 2e-3 weight_decay 0.1 clip 0.5",
    "lion": "lion lr 1e-3 weight_decay 1e-2",
}
SCHEDULED = {
    "constant": "constant warmup 0.7",
    "step": "step every 1 gamma 0.5 warmup 0.5",
    "multistep": "multistep at 2, 3, 7 gamma 0.3",
    "exponential": "exponential gamma 0.9",
    "cosine": "cosine final 1e-4 warmup 0.3",
    "onecycle": "onecycle start 10",
}


@pytest.mark.parametrize("name", SETTINGS)
def test_fifty_steps_are_those_of_numpy(tmp_path, name):
    schedule = [*SCHEDULED.values()][[*SETTINGS].index(name) % len(SCHEDULED)]
    spec = read_spec(text=SMALL.format(optimiser=SETTINGS[name], schedule=schedule))
    train = spec.train
    engine = Engine(spec.graph, train.cost, train.optimiser, seed=4, dtype="float64")
    before = {key: values.copy() for key, values in engine.parameters.items()}
    generator = np.random.default_rng(1)
    x, y = generator.normal(size=(30, 2, 8, 8)), generator.integers(0, 3, 30)
    costs = []
    for step in range(50):
        chosen = slice(step % 5 * 6, step % 5 * 6 + 6)
        arrays = {"input": x[chosen], f"{spec.graph.outputs[0]}.target": np.eye(3)[y[chosen]]}
        costs.append(engine.learn(arrays, train.schedule.rate(step, 50, 5, train.optimiser.lr))[0])
    calls = [["fit", x, y, {"epochs": 10, "shuffle": False}], *(["get", key] for key in before)]
    job = scripts.job(module_source(spec, before, train=True), before, calls, dtype="float64")
    ((done, *parameters),) = scripts.run(tmp_path, [job])
    np.testing.assert_allclose([each["cost"] for each in done], costs, rtol=1e-8)
    for key, values in zip(before, parameters, strict=True):
        np.testing.assert_allclose(values, engine.parameters[key].reshape(-1), rtol=1e-8, atol=1e-8, err_msg=key)


def test_measures_as_numpy_does(tmp_path):
    spec = read_spec(text=SMALL.format(optimiser="sgd", schedule="constant"))
    engine = engine_for(spec.graph, spec.train.cost)
    generator = np.random.default_rng(1)
    x, y = generator.normal(size=(20, 2, 8, 8)), generator.integers(0, 3, 20)
    cost, (by_class, _) = engine.measure({"input": x, f"{spec.graph.outputs[0]}.target": np.eye(3)[y]})
    source = module_source(spec, engine.parameters, train=True)
    calls = [["measure", x, y], ["learn", x, y], ["measure", x, y], ["predict", x]]
    job = scripts.job(source, engine.parameters, calls, dtype="float64")
    ((first, _, after, _),) = scripts.run(tmp_path, [job])
    np.testing.assert_allclose(first["cost"], cost, rtol=1e-9)
    assert first["correct"][0] == by_class
    assert after["cost"] != first["cost"], "what is made of parameters alone is made again"


def test_a_step_that_is_not_finite_changes_nothing(tmp_path):
    spec = read_spec(text=SMALL.format(optimiser="adam", schedule="constant"))
    parameters = engine_for(spec.graph, spec.train.cost).parameters
    far = np.full((1, 2, 8, 8), 1e300)  # whose squares are no numbers
    calls = [["learn", far, [1]], ["get", "conv1.weight"], ["get", "bn1.running_mean"]]
    job = scripts.job(module_source(spec, parameters, train=True), parameters, calls, dtype="float64")
    ((done, weight, mean),) = scripts.run(tmp_path, [job])
    assert done["cost"] in ("NaN", "Infinity")
    np.testing.assert_array_equal(weight, parameters["conv1.weight"].reshape(-1))
    np.testing.assert_array_equal(mean, parameters["bn1.running_mean"])


def test_a_schedule_gives_the_rates_of_python(tmp_path):
    """Warm-ups that end at half a step, the step after the last, and every setting."""
    written = [f"cosine warmup {k / 8}" for k in range(9)] + [*SCHEDULED.values(), "onecycle warmup 2 end 3"]
    program, expected = [], []
    for text in written:
        schedule = read_spec(text=f"input 2\ndense 1\ntrain {{ schedule {text} ; epochs 9 }}").train.schedule
        code = translate.functions(schedule.rate)
        program.append(f"(() => {{ {used([code])} {code}\nreturn {translate.name_of(schedule.rate)}; }})()")
        expected.append([schedule.rate(step, 36, 4, 0.3) for step in range(38)])
    text = f"const rates = [{', '.join(program)}];\nconst steps = [...Array(38).keys()];\n"
    text += "console.log(JSON.stringify(rates.map((rate) => steps.map((step) => rate(step, 36, 4, 0.3)))));\n"
    (tmp_path / "rates.mjs").write_text(text)
    np.testing.assert_allclose(json.loads(scripts.node("rates.mjs", tmp_path)), expected, rtol=1e-13)


class Worded(Optimiser):
    """An optimiser whose numbers and locals are called what JavaScript keeps for itself, or counts by."""

    word = "worded"
    moments = ("void",)
    lr, weight_decay, decay_norm, clip = 0.1, 0.0, True, None

    def written(self, explicit=False):
        return self.word

    def scalars(self, step, rate):
        new, delete = rate / step, 2.0
        var = new * delete if step > 1 else exp(-new)
        pi = 3.0
        if step > 2:
            typeof = var + pi
            return {"new": typeof, "i": delete, **self._decay(rate)}
        return {"new": var, "i": delete}

    def emit(self):
        yield "np.multiply(void, i, out=void)"
        yield "np.add(void, g, out=void)"
        yield "np.abs(void, out=t)"
        yield "np.multiply(t, new, out=t)"
        yield "np.subtract(p, t, out=p)"


def test_a_name_that_javascript_keeps_for_itself_is_another_there(tmp_path):
    worded, p, g = Worded(), np.array([1.0, -2.0, 3.0]), np.array([0.5, -0.25, 0.125])
    code = f"{update.update(worded)}\n{translate.functions(worded.scalars)}\n"
    code += f"const p = {p.tolist()}, moments = {{ void: [0, 0, 0] }};\n"
    code += f"for (let step = 1; step < 5; step++) update(p, {g.tolist()}, moments, wordedScalars(step, 0.3));\n"
    (tmp_path / "worded.mjs").write_text(code + "console.log(JSON.stringify(p));\n")
    arrays = {"np": np, "p": p, "g": g, "void": np.zeros(3), "t": np.zeros(3)}
    for step in range(1, 5):
        exec("\n".join(worded.lines()), {**arrays, **worded.scalars(step, 0.3)})
    np.testing.assert_allclose(json.loads(scripts.node("worded.mjs", tmp_path)), p, rtol=1e-14)


class Refused:
    word = "refused"

    def merged(self, first_rate):
        firstRate = first_rate
        return firstRate

    def remainder(self, step):
        return step % 2

    def equal(self, step):
        return 1 if step == 2 else 0

    def library(self, step):
        return sqrt_of(step)

    def inside(self, step):
        if step > 1:
            half = step / 2
        return half

    def grows(self, step):
        step += 1
        return step


@pytest.mark.parametrize(
    "method, named",
    [
        ("merged", "firstRate"), ("remainder", "Mod"), ("equal", "Eq"), ("library", "sqrt_of"), ("inside", "half"),
        ("grows", "step += 1"),
    ],
)  # fmt: skip
def test_what_has_no_javascript_is_refused_by_name(method, named):
    with pytest.raises(AssertionError, match=f"no JavaScript for .*{re.escape(named)}"):
        translate.functions(getattr(Refused(), method))


def test_every_optimiser_and_every_schedule_is_tried():
    assert [*SETTINGS] == [optimiser.word for optimiser in OPTIMISERS]
    assert [*SCHEDULED] == [schedule.word for schedule in SCHEDULES]


CHANGES = (
    "flip", "flip direction vertical", "flip direction both", "crop 2", "crop 1x2", "shift 2", "rotate 20",
    "scale 30%", "resized_crop 20%", "brightness 30%", "contrast 30%", "saturation 30%", "cutout 3", "cutout 2x4",
)  # fmt: skip
OF_SEQUENCES = ("flip", "crop 2", "shift 2", "brightness 30%", "contrast 30%", "cutout 3")


class Numbers:
    """A generator whose uniform numbers are given; what it draws is what JavaScript makes of the same numbers."""

    def __init__(self, rows):
        self.columns = list(rows.T)

    def random(self, size):
        if np.ndim(size) == 0:
            return self.columns.pop(0)
        return np.stack([self.columns.pop(0) for _ in range(size[1])], axis=1)

    def uniform(self, low, high, count):
        return low + (high - low) * self.columns.pop(0)

    def integers(self, low, high, size):
        return np.floor(self.random(size) * np.asarray(high)).astype(int)


@pytest.mark.parametrize(
    "word, shape",
    [*((word, (3, 7, 8)) for word in CHANGES), *((word, (2, 9)) for word in OF_SEQUENCES)],
)
def test_augmentations_are_those_of_numpy(tmp_path, word, shape):
    """Of images and of masks of classes, by the same random numbers."""
    spec = read_spec(text=f"input {'x'.join(map(str, shape))}\ndense 1\ndata {{ augment {word} }}\n")
    (change,) = spec.data.augment
    generator, count = np.random.default_rng(0), 9
    x, mask = generator.normal(size=(count, *shape)), generator.integers(0, 5, (count, 1, *shape[1:]))
    rows = generator.random((count, 4))
    drawn = change.draw(Numbers(rows), count, shape)
    wanted, wanted_mask = change.apply(x.copy(), drawn), change.follow(mask.copy(), drawn)
    entry = augmentations.source(change, spec.graph.type("input"))
    image = [shape[0], 1, shape[1]] if len(shape) == 2 else [*shape]
    text = f"""
        {used([entry])}
        const {{ draw }} = {entry}, image = {image}, size = {x[0].size}, pixels = {mask[0].size};
        const x = {x.reshape(-1).tolist()}, mask = {mask.reshape(-1).tolist()};
        {rows.tolist()}.forEach((row, i) => {{
          const numbers = row.values(), change = draw(() => numbers.next().value);
          change(x, i * size, image);
          {"change(mask, i * pixels, [1, ...image.slice(1)], true);" if change.moves else ""}
        }});
        console.log(JSON.stringify([x, mask]));
    """
    (tmp_path / "change.mjs").write_text(text)
    found, found_mask = json.loads(scripts.node("change.mjs", tmp_path))
    np.testing.assert_allclose(found, wanted.reshape(-1), rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(found_mask, wanted_mask.reshape(-1))


MIXES = ("mixup 0.4", "cutmix", "cutmix 0.3")


@pytest.mark.parametrize("shape", [(1, 6, 5), (1, 7)])
@pytest.mark.parametrize("word", MIXES)
def test_answers_are_mixed_as_their_images_are(tmp_path, word, shape):
    """Image k is all k and of class k, so what is mixed has the mean that its shares of classes say."""
    sizes, size = "x".join(map(str, shape)), int(np.prod(shape))
    text = f"input {sizes}\nflatten -> dense 3 -> softmax\ndata {{ augment flip ; augment {word} }}\n"
    source = module_source(read_spec(text=text), {}, train=True)
    (tmp_path / "net.mjs").write_text(source)
    program = f"""
        import {{ create }} from './net.mjs';
        const net = create(null), seen = [];
        net.learn = (x, y) => {{ seen.push([[...x], [...y]]); return {{}}; }};
        const x = [0, 1, 2].flatMap((k) => new Array({size}).fill(k));
        for (const _ of net.fit(x, [0, 1, 2], {{ epochs: 60, batch: 3, shuffle: false }})) ;
        console.log(JSON.stringify(seen));
    """
    (tmp_path / "program.mjs").write_text(program)
    mixed = 0
    for images, targets in json.loads(scripts.node("program.mjs", tmp_path)):
        rows = np.reshape(targets, (3, 3))
        np.testing.assert_allclose(rows.sum(axis=1), 1, rtol=1e-12)
        np.testing.assert_allclose(np.reshape(images, (3, size)).mean(axis=1), rows @ [0, 1, 2], atol=1e-9)
        mixed += np.count_nonzero((rows > 0.01) & (rows < 0.99))
    assert mixed > 30


def test_shares_are_of_a_beta_distribution(tmp_path):
    text = f"{used(['beta()'])}\nconst draw = (a) => Array.from({{ length: 20000 }}, () => beta(Math.random, a));\n"
    (tmp_path / "beta.mjs").write_text(text + "console.log(JSON.stringify([0.2, 1, 4].map(draw)));\n")
    for alpha, numbers in zip((0.2, 1, 4), json.loads(scripts.node("beta.mjs", tmp_path)), strict=True):
        assert abs(np.mean(numbers) - 0.5) < 0.02
        np.testing.assert_allclose(np.var(numbers), 1 / (4 * (2 * alpha + 1)), rtol=0.05)


def test_every_augmentation_is_tried():
    tried = {text.split()[0] for text in (*CHANGES, *MIXES)} | {"noise"}
    assert tried == {change.word for change in AUGMENTATIONS}
    missing = [change.word for change in AUGMENTATIONS if change not in augmentations.KERNELS]
    assert not missing, f"cnnspec/targets/js/augmentations.py has no entry for {', '.join(missing)}"


@pytest.mark.parametrize("setting", ["freeze dense1", "rate 0.1 of dense1", "accumulate 2", "ema 0.9"])
def test_a_training_that_is_not_followed_is_refused(setting):
    spec = read_spec(text=f"input 4\ndense 3 -> dense 3 -> softmax\ntrain {{ {setting} }}\n")
    with pytest.raises(SpecError, match="CNN556"):
        module_source(spec, {}, train=True)
    assert module_source(spec, {}, look=True)


@pytest.mark.parametrize("data", ["balance on", 'balance "7 5"', 'source npz "a.npz" weights "w"'])
def test_weights_of_images_are_refused(data):
    spec = read_spec(text=f"input 4\ndense 10 -> softmax\ndata {{ {data} }}\n")
    with pytest.raises(SpecError, match="CNN556.*(balance|weights)"):
        module_source(spec, {}, train=True)
    assert module_source(spec, {}, look=True)


def test_bytes_are_prepared_as_the_weights_tell(tmp_path):
    spec = read_spec(text="input 2x3x3\ndense 3 -> softmax\ntrain { batch 4 }\n")
    parameters = engine_for(spec.graph, spec.train.cost).parameters
    document = {
        "version": 1, "versions": {}, "source": "npz", "input": [2, 3, 3], "range": [0, 255], "classes": None,
        "scale": [0.02, 0.03], "offset": [-1.5, -2.5], "stored": "bytes",
    }  # fmt: skip
    preparation = Preparation.from_json(document, "here")
    source = module_source(spec, parameters, train=True, preparation=preparation)
    x, y = np.random.default_rng(0).integers(0, 256, (4, 2, 3, 3)), [0, 1, 2, 1]
    seen, _ = preparation.apply(x.astype(np.uint8), "x")
    calls = [["fit", x, y, {"epochs": 1, "shuffle": False}], ["get", "dense1.weight"]]
    plain = [["learn", seen, y], ["get", "dense1.weight"]]
    jobs = [scripts.job(source, parameters, each, dtype="float64") for each in (calls, plain)]
    ((((fitted,), weight)), (done, same)) = scripts.run(tmp_path, jobs)
    np.testing.assert_allclose(fitted["cost"], done["cost"], rtol=1e-5)
    np.testing.assert_allclose(weight, same, rtol=1e-4, atol=1e-6)


def test_a_mask_follows_its_image(tmp_path):
    spec = read_spec(text="input 2x4x5\nconv 3x1x2 pad same -> softmax\ndata { augment flip }\ntrain { batch 2 }\n")
    parameters = engine_for(spec.graph, spec.train.cost).parameters
    generator = np.random.default_rng(0)
    x, y = generator.normal(size=(2, 2, 4, 5)), generator.integers(0, 3, (2, 4, 5))
    source = module_source(spec, parameters, train=True)
    settings = {"epochs": 1, "shuffle": False}
    jobs = [
        scripts.job(source, parameters, calls, [0.1] * 9, dtype="float64")
        for calls in ([["fit", x, y, settings]], [["learn", x[..., ::-1], y[..., ::-1]]], [["learn", x, y]])
    ]
    (((fitted,),), (flipped,), (plain,)) = scripts.run(tmp_path, jobs)
    assert fitted["cost"] == flipped["cost"] != plain["cost"]


def test_noise_of_bytes_has_its_deviation_and_keeps_its_bounds(tmp_path):
    spec = read_spec(text="input 1x90x90\ndense 1\ndata { augment noise 10% }\n")
    entry = augmentations.source(spec.data.augment[0], spec.graph.type("input"))
    text = f"""
        {used([entry])}
        const x = new Uint8Array(8100).fill(100), white = new Uint8Array(8100).fill(255);
        for (const each of [x, white]) ({entry}).draw(Math.random)(each, 0, [1, 90, 90]);
        console.log(JSON.stringify([[...x], [...white]]));
    """
    (tmp_path / "noise.mjs").write_text(text)
    x, white = (np.array(each) for each in json.loads(scripts.node("noise.mjs", tmp_path)))
    assert abs(x.mean() - 100) < 2 and 24 < x.std() < 27
    assert white.max() == 255 and 0.4 < (white == 255).mean() < 0.6
