// What the worker of the page does, in a scope of its own: it has `network` (targets/js), `randomOf` and
// `drawnNumbers`. It steps while it goes, hears the page between two steps, and shows itself ten times a second.

function trainer() {
  const SHOWN = 100; // milliseconds between two pictures of itself
  const TESTED = 200; // images that are measured together
  const MAPS = 16; // channels of a layer that are shown
  const ROOM = 1 << 26; // bytes of weights of epochs that are kept
  let net = null, data = null, course = null, options = {}, watched = null;
  let goal = "nothing", running = false, epoch = 0, next = 1, told = [], since = 0, images = 0, shownAt = 0, seen = true, test = null;
  const kept = new Map(); // the weights of an epoch's end by its number

  const scaled = (x) => {
    const { scale, offset } = data;
    return Float32Array.from(x, (value) => value * scale + offset);
  };

  // The scale and offset that bytes are prepared by: to 0 .. 1, or also to mean 0 and deviation 1.
  function scaling(x, normalise) {
    if (x instanceof Float32Array) return { scale: 1, offset: 0 }; // a table is made standard column by column
    if (!normalise) return { scale: 1 / 255, offset: 0 };
    let sum = 0, squares = 0;
    for (const value of x) {
      sum += value;
      squares += value * value;
    }
    const mean = sum / x.length, deviation = Math.sqrt(squares / x.length - mean * mean) || 1;
    return { scale: 1 / deviation, offset: -mean / deviation };
  }

  function measured() {
    const { testImages, testLabels } = data, size = testImages.length / testLabels.length;
    let cost = 0, correct = 0;
    for (let at = 0; at < testLabels.length; at += TESTED) {
      const labels = testLabels.subarray(at, at + TESTED);
      const done = net.measure(scaled(testImages.subarray(at * size, (at + labels.length) * size)), Array.from(labels));
      cost += done.cost * labels.length;
      correct += done.correct[0];
    }
    return { cost: cost / testLabels.length, accuracy: correct / testLabels.length };
  }

  // A step, or none where all epochs are over.
  function step() {
    course ||= net.fit(data.images, data.labels, { ...options, epochs: Math.max(options.epochs, next), from: next, each: scaled });
    const { value, done } = course.next();
    if (done) {
      goal = "nothing";
      course = null;
      self.postMessage({ kind: "over" });
      return;
    }
    images += value.images;
    told.push([value.cost, value.correct[0] / value.images]);
    const ended = (net.steps - net.first) % net.perEpoch === 0;
    epoch = value.epoch;
    next = epoch + (ended ? 1 : 0);
    if (!Number.isFinite(value.cost)) {
      goal = "nothing";
      self.postMessage({ kind: "diverged" });
    }
    if (ended) endEpoch();
    if (goal === "step" || (ended && goal === "epoch")) goal = "nothing";
  }

  function endEpoch() {
    test = { epoch, ...measured() };
    const bytes = net.save();
    kept.set(epoch, bytes);
    if (kept.size > Math.max(1, ROOM / bytes.length)) kept.delete(kept.keys().next().value);
    self.postMessage({ kind: "tested", ...test, first: kept.keys().next().value });
  }

  // Its steps and costs, its filters, and what it makes of the image that is watched.
  function showSelf() {
    const now = performance.now(), seconds = (now - since) / 1000;
    const picture = { kind: "self", told, epoch, steps: net.steps, rate: net.rate, perSecond: seconds > 0 ? images / seconds : 0, maps: [], filters: [] };
    told = [];
    if (seconds > 1) [since, images] = [now, 0];
    if (watched) {
      net.look(watched.inputs);
      for (const { name, shape } of watched.layers) {
        const [channels, height, width] = shape, count = Math.min(channels, MAPS);
        picture.maps.push({ name, height, width, count, numbers: net.value(name).slice(0, count * height * width) });
      }
      picture.answer = net.value(watched.answer);
      for (const { name, shape } of watched.filters) picture.filters.push({ name, shape, numbers: net.get(name) });
    }
    [shownAt, seen] = [performance.now(), false]; // no other until the page has drawn this one, however slow it is
    self.postMessage(picture);
  }

  async function run() {
    if (running) return;
    running = true;
    const channel = new MessageChannel();
    const others = () => new Promise((go) => {
      channel.port1.onmessage = go;
      channel.port2.postMessage(null);
    });
    [since, images] = [performance.now(), 0];
    while (goal !== "nothing") {
      step();
      if (seen && performance.now() - shownAt > SHOWN) showSelf();
      await others();
    }
    running = false;
    showSelf();
    self.postMessage({ kind: "paused" });
  }

  const deeds = {
    begin({ begin, seed, weights, given, settings, normalise, from }) {
      const random = randomOf(seed);
      net = network.create(null, { random });
      if (weights) net.load(weights);
      else for (const [name, drawn] of Object.entries(begin)) net.set(name, drawnNumbers(drawn, random));
      data = given && { ...given, ...scaling(given.images, normalise) };
      [epoch, next] = [from - 1, from];
      deeds.set({ settings });
      return { scaling: data && { scale: data.scale, offset: data.offset } };
    },
    set({ settings }) {
      const { rate, ...others } = settings;
      if (JSON.stringify(others) !== JSON.stringify(options)) course = null;
      options = others;
      net.training.lr = rate;
    },
    go({ goal: wanted }) {
      goal = wanted;
      run();
    },
    pause() {
      goal = "nothing";
    },
    seen() {
      seen = true;
    },
    epoch({ number }) { // back to an epoch's end, and on from there
      net.load(kept.get(number));
      [epoch, next, course] = [number, number + 1, null];
      showSelf();
    },
    watch(question) {
      watched = question;
      if (!running) showSelf();
    },
    look({ inputs, targets, names }) {
      const cost = net.look(inputs, targets), seen = {};
      for (const name of names) seen[name] = { value: net.value(name), gradient: targets && net.gradient(name) };
      return { cost, seen };
    },
    parameter({ name }) {
      return { numbers: net.get(name) };
    },
    change({ name, numbers }) {
      net.set(name, numbers);
    },
    weights() {
      return { bytes: net.save(), next, test };
    },
    measure() {
      test = { epoch, ...measured() };
      return test;
    },
  };

  self.onmessage = ({ data: { id, deed, ...question } }) => {
    try {
      self.postMessage({ kind: "done", id, told: deeds[deed](question) });
    } catch (problem) {
      self.postMessage({ kind: "done", id, problem: problem.message });
    }
  };
}
