// What the worker of the page does, in a scope of its own: it has `network` (targets/js), `randomOf`, `drawnNumbers`
// and `shadedPixels`. It steps while it goes, hears the page between two steps, and shows itself ten times a second.

function trainer() {
  const SHOWN = 100; // milliseconds between two pictures of itself
  const TESTED = 200; // images that are measured together
  const MAPS = 16; // channels of a layer that are shown
  const FILTERS = 32; // filters of a layer that are shown
  const ROOM = 1 << 26; // bytes of weights of epochs that are kept
  let net = null, data = null, course = null, options = {}, watched = null;
  let goal = "nothing", running = false, epoch = 0, next = 1, told = [], since = 0, images = 0, due = 0, seen = true, test = null, exam = null;
  const kept = new Map(); // the weights of an epoch's end by its number

  const scaled = (x) => {
    const { scale, offset } = data, out = new Float32Array(x.length);
    for (let k = 0; k < x.length; k++) out[k] = x[k] * scale + offset;
    return out;
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

  // Of so many labels how many are answered correctly, as a fraction; null of numbers, which are only near or far.
  const fraction = (correct, labels) => (data.answers === "numbers" ? null : correct / labels);
  const correctOf = ({ correct }) => correct[data.binary ? 1 : 0]; // a mask of one channel counts by a threshold

  // The cost and accuracy on the test images; the page is heard wherever it yields.
  function* measured() {
    const { testImages, testLabels, each } = data, count = testLabels.length / each, size = testImages.length / count;
    let cost = 0, correct = 0;
    for (let at = 0; at < count; at += TESTED) {
      const end = Math.min(at + TESTED, count), done = net.measure(scaled(testImages.subarray(at * size, end * size)), Array.from(testLabels.subarray(at * each, end * each)));
      cost += done.cost * (end - at);
      correct += correctOf(done);
      if (end < count) yield;
    }
    return { cost: cost / count, accuracy: fraction(correct, testLabels.length) };
  }

  // A piece of work between two moments in which the page is heard: some test images of an epoch that is over, else a
  // step, or nothing where all epochs are over.
  function work() {
    if (exam) {
      if (exam.next().done) exam = null;
    } else step();
    if (!exam && goal === "step") goal = "nothing";
  }

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
    told.push([value.cost, fraction(correctOf(value), value.images * data.each)]);
    const ended = (net.steps - net.first) % net.perEpoch === 0;
    epoch = value.epoch;
    next = epoch + (ended ? 1 : 0);
    if (!Number.isFinite(value.cost)) {
      goal = "nothing";
      self.postMessage({ kind: "diverged" });
    }
    if (ended) exam = endEpoch();
  }

  function* endEpoch() {
    test = { epoch, ...(yield* measured()) };
    const bytes = net.save();
    kept.set(epoch, bytes);
    if (kept.size > Math.max(1, ROOM / bytes.length)) kept.delete(kept.keys().next().value);
    self.postMessage({ kind: "tested", ...test, first: kept.keys().next().value });
    if (goal === "epoch") goal = "nothing";
  }

  // Its steps and costs, its filters, and what it makes of the image that is watched: pictures that the page has but to
  // put where they belong.
  function showSelf() {
    const now = performance.now(), seconds = (now - since) / 1000;
    const picture = { kind: "self", told, epoch, steps: net.steps, rate: net.rate, perSecond: seconds > 0 ? images / seconds : 0, rows: [] };
    told = [];
    if (seconds > 1) [since, images] = [now, 0];
    if (watched) {
      net.look(watched.inputs);
      const row = (of, numbers, count, apart) => picture.rows.push({ ...of, count, pixels: shadedPixels(numbers, of.height * of.width, count, apart, watched.hues) });
      for (const { name, shape: [count, channels, height, width] } of watched.filters)
        row({ name: `${name}${channels > 1 ? ", of channel 0" : ""}`, what: "filters", height, width }, net.get(name), Math.min(count, FILTERS), channels * height * width);
      for (const { name, shape: [channels, height, width] } of watched.layers)
        row({ name, what: "maps", height, width }, net.value(name), Math.min(channels, MAPS), height * width);
      picture.answer = net.value(watched.answer);
    }
    due = Math.max(due + SHOWN, now); // a step that came between takes nothing of the next
    seen = false; // no other until the page has drawn this one, however slow it is
    self.postMessage(picture, picture.rows.map(({ pixels }) => pixels.buffer));
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
      work();
      if (seen && performance.now() >= due) showSelf();
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
      [epoch, next, course, exam] = [number, number + 1, null, null];
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
      return { bytes: net.save(), next, test, steps: net.steps, epoch };
    },
    measure() {
      const asked = measured();
      let done = asked.next();
      while (!done.done) done = asked.next();
      test = { epoch, ...done.value };
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
