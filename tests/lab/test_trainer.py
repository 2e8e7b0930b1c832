"""The worker that trains in the page, in Node: when it hears the page, and what it sends."""

import json
import re

import pytest
from scripts import need_node, node

from cnnspec.lab.assets import page_text
from cnnspec.lab.front import answer

TEXT = """input 1x8x8
conv 2x3x3 pad same -> relu -> maxpool 2 -> dense 2 -> softmax
train { optimiser sgd lr 0.1 ; batch 8 ; epochs 3 }
"""
IMAGES, TESTED, HUES = 32, 700, {"zero": [0, 0, 0], "below": [0, 0, 200], "above": [100, 0, 0]}
# a page: what it has heard, and the pieces of work that the worker has done
PAGE = """
const heard = [], waiting = [], pieces = [], self = { postMessage(message, moved = []) {
  const got = structuredClone(message, { transfer: moved });
  heard.push(got);
  for (const { wanted, go } of waiting) if (wanted(got)) go(got);
} };
let onPiece = () => {};
const { create } = network;
network.create = (...given) => {
  const net = create(...given);
  for (const name of ['learn', 'measure']) {
    const method = net[name];
    net[name] = (...given) => {
      pieces.push(name);
      onPiece();
      return method.apply(net, given);
    };
  }
  return net;
};
const kind = (name) => (message) => message.kind === name;
const until = (wanted) => new Promise((go) => waiting.push({ wanted, go }));
const send = (deed, question = {}) => self.onmessage({ data: { id: 1, deed, ...question } });
const bytes = (count, of) => Uint8Array.from({ length: count }, (_, k) => of(k));
const given = {
  images: bytes(64 * IMAGES, (k) => (k * 37) % 256), labels: bytes(IMAGES, (k) => k % 2),
  testImages: bytes(64 * TESTED, (k) => (k * 53) % 256), testLabels: bytes(TESTED, (k) => k % 2), each: 1,
};
trainer();
const settings = { rate: 0.1, batch: 8, epochs: 99, augment: false };
send('begin', { begin: BEGIN, seed: 3, given, settings, normalise: false, from: 1 });
send('watch', {
  inputs: { input: Float32Array.from({ length: 64 }, (_, k) => k / 64) }, answer: 'softmax1', hues: HUES,
  layers: [{ name: 'conv1', shape: [2, 8, 8] }], filters: [{ name: 'conv1.weight', shape: [2, 1, 3, 3] }],
});
"""


@pytest.fixture
def told(tmp_path):
    """What a page finds that does `lines`."""
    need_node()
    made = answer({"ask": "network", "text": TEXT, "settings": []})

    def run(lines):
        known = {"BEGIN": made["begin"], "IMAGES": IMAGES, "TESTED": TESTED, "HUES": HUES}
        page = re.sub("|".join(known), lambda name: json.dumps(known[name[0]]), PAGE)
        parts = [made["script"], *(page_text(f"{name}.js") for name in ("begin", "pictures", "trainer")), page]
        ending = f"(async () => {{ {lines} console.log(JSON.stringify(found)); process.exit(); }})();"
        (tmp_path / "page.cjs").write_text("\n".join([*parts, ending]), encoding="utf-8")
        return json.loads(node("page.cjs", tmp_path))

    return run


def test_nothing_is_done_after_a_pause_not_even_amid_the_test_of_an_epoch(told):
    """Four steps are an epoch, whose test has four pieces: a pause comes after each of them."""
    found = told(
        """
  const found = [];
  for (let late = 1; late < 14; late++) {
    pieces.length = 0;
    onPiece = () => pieces.length === late && queueMicrotask(() => send('pause'));
    const paused = until(kind('paused'));
    send('go', { goal: 'all' });
    await paused;
    found.push(pieces.slice(late - 1));
  }
"""
    )
    assert [len(pieces) for pieces in found] == [1] * 13
    assert {pieces[0] for pieces in found} == {"learn", "measure"}


def test_an_epoch_that_is_asked_for_ends_when_it_is_tested(told):
    found = told(
        """
  const found = [];
  for (const goal of ['step', 'epoch', 'step', 'step', 'step', 'step']) {
    pieces.length = 0;
    const paused = until(kind('paused'));
    send('go', { goal });
    await paused;
    found.push([pieces.join(' '), heard.filter(kind('tested')).length]);
  }
"""
    )
    tested = "measure measure measure measure"
    assert found == [
        ["learn", 0],
        [f"learn learn learn {tested}", 1],
        *[["learn", 1]] * 3,
        [f"learn {tested}", 2],
    ]


def test_what_it_shows_is_pixels(told):
    """Zero is black here, the largest number of a row of pictures as blue or red as can be, the others between."""
    picture, weights = told(
        """
  const paused = until(kind('paused'));
  send('go', { goal: 'step' });
  await paused;
  send('parameter', { name: 'conv1.weight' });
  const plain = (row) => ({ ...row, pixels: [...row.pixels] }), last = heard.filter(kind('self')).at(-1);
  const found = [{ ...last, rows: last.rows.map(plain) }, [...heard.at(-1).told.numbers]];
"""
    )
    filters, maps = picture["rows"]
    assert (filters["name"], filters["count"], maps["name"], maps["count"]) == ("conv1.weight", 2, "conv1", 2)
    assert len(maps["pixels"]) == 4 * 2 * 64 and picture["steps"] == 1
    largest = max(map(abs, weights))
    for value, at in zip(weights, range(0, 4 * len(weights), 4), strict=True):
        share = abs(value) / largest
        wanted = [0, 0, 200 * share] if value < 0 else [100 * share, 0, 0]
        assert filters["pixels"][at : at + 4] == pytest.approx([*wanted, 255], abs=0.51)
