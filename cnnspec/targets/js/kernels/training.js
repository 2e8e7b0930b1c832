// What trains a network.

/** A network that learns, by the spec's cost, optimiser and schedule.
 *
 *    net.learn(images, targets, { rate })    one step; gives { cost, correct }
 *    net.measure(images, targets)            { cost, correct } as the network is in use
 *    net.fit(images, targets, { ... })       steps through epochs; for await (const done of net.fit(...)) ...
 */
export const learning = (Base) => class extends Base {
  steps = 0; // of the optimiser, so far
  first = 0; // the step that the schedule counts from
  total = 0; // steps that the schedule knows of; without, the rate stays what it was
  perEpoch = 1;

  blockNames() {
    return ['gradient', ...this.training.moments];
  }

  /** The learning rate of the next step. */
  get rate() {
    const { rate, lr } = this.training;
    return this.total ? rate(this.steps - this.first, this.total, this.perEpoch, lr) : lr;
  }

  /** One step on some images; where the cost is not finite nothing is changed. `seen` as for `feed`. */
  learn(x, y, { rate = this.rate, seen } = {}) {
    const plan = this.plans.learn, { b, n } = this.feed('learn', x, seen), { p, g, room, blocks, training } = this;
    aim(plan.targets, b, y, n);
    const done = plan.forward(room, b, p, n, this.random);
    if (!Number.isFinite(done.cost)) return done;
    plan.backward(room, b, p, g, n);
    const scalars = training.scalars(this.steps + 1, rate);
    if (training.clip !== null) scalars.scale = clipScale(blocks.gradient, training.clip);
    training.update(blocks.trained, blocks.gradient, blocks, scalars);
    plan.settle?.(b, p, n);
    this.steps += 1;
    this.prepared.clear();
    return done;
  }

  /** The mean cost of some images and how many are answered correctly (by class, by label), as the network is in use. */
  measure(x, y) {
    const plan = this.plans.measure, { b, n } = this.feed('measure', x);
    aim(plan.targets, b, y, n);
    this.makeReady(plan, b);
    return plan.forward(this.room, b, this.p, n, this.random);
  }

  /** Steps through some epochs of all images, in an order drawn anew for each; whoever runs through the steps may stop
   * between two of them. `each` is called with the images of a batch, after the augmentations of the spec, and gives
   * what the network sees: without it what `prepare` makes of them, where the weights of a run told how. `from` is the
   * epoch to begin with, where those before it were run already: the schedule goes on as if by these steps. */
  *fit(x, y, { epochs = this.training.epochs, batch = this.training.batch, shuffle = true, augment = true, each, from = 1 } = {}) {
    each ??= this.preparation ? (images) => this.prepare(images) : (images) => images;
    const { inputs, targets: asked } = this.plans.learn, [, , shape] = inputs[0], [, , answer] = asked[0];
    const size = sizeOf(shape), count = x.length / size, many = y.length / count;
    if (!Number.isInteger(count) || !Number.isInteger(many)) throw new Error(`${x.length} numbers of images and ${y.length} of targets are no whole images`);
    const sides = shape.length === 3 ? shape : [shape[0], 1, size / shape[0]]; // of a sequence the height is 1
    const pixels = sides[1] * sides[2], labels = many < sizeOf(answer); // classes, which become rows where they are mixed
    const follow = answer.length > 1 && String(answer.slice(1)) === String(shape.slice(1)); // answers that are images
    const changed = (i, changes) => { // image i of the data with its answer
      const mine = x.slice(i * size, (i + 1) * size);
      let target = Array.from(y.slice(i * many, (i + 1) * many));
      changes.forEach(({ moves, mixes, draw }, stage) => {
        const change = draw(this.random), depth = [target.length / pixels, ...sides.slice(1)];
        if (!mixes) {
          change(mine, 0, sides);
          if (moves && follow) change(target, 0, depth, labels);
          return;
        }
        const [other, their] = changed(Math.floor(this.random() * count), changes.slice(0, stage));
        const share = change(mine, 0, sides, other);
        if (moves && follow) change(target, 0, depth, their);
        else target = mixedRows(labels ? oneHot(target, answer) : target, labels ? oneHot(their, answer) : their, share);
      });
      return [mine, target];
    };
    const order = Array.from({ length: count }, (_, i) => i), changes = augment ? this.training.augment : [];
    const perEpoch = Math.ceil(count / batch);
    Object.assign(this, { first: this.steps - (from - 1) * perEpoch, perEpoch, total: epochs * perEpoch });
    for (let epoch = from; epoch <= epochs; epoch++) {
      if (shuffle) shuffleOrder(order, this.random);
      for (let start = 0; start < count; start += batch) {
        const chosen = order.slice(start, start + batch), images = new x.constructor(chosen.length * size), targets = [];
        chosen.forEach((i, k) => {
          const [mine, target] = changed(i, changes);
          for (let j = 0; j < size; j++) images[k * size + j] = mine[j];
          for (const value of target) targets.push(value);
        });
        const { rate } = this, done = this.learn(each(images), targets, { rate, seen: true });
        yield { epoch, step: this.steps, rate, images: chosen.length, ...done };
      }
    }
  }
};

/** Classes of an answer's pixels as rows with a single 1, [c][pixels]. */
export function oneHot(classes, [c]) {
  const rows = new Array(c * classes.length).fill(0);
  classes.forEach((label, j) => { rows[label * classes.length + j] = 1; });
  return rows;
}

/** share · a + (1 - share) · b */
export function mixedRows(a, b, share) {
  return a.map((value, j) => share * value + (1 - share) * b[j]);
}

/** The factor that shortens a gradient to the norm `clip`; 1 where it is shorter. */
export function clipScale(gradient, clip) {
  let square = 0;
  for (let i = 0; i < gradient.length; i++) square += gradient[i] * gradient[i];
  const scale = clip / (Math.sqrt(square) + 1e-6); // as torch.nn.utils.clip_grad_norm_
  return scale > 1 ? 1 : scale;
}

/** Another order of the same numbers (Fisher and Yates). */
export function shuffleOrder(order, random) {
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
}
