// A network to look at: every value, and how the cost changes with it.

/** Every value of some images and the gradient of their mean cost at each, as the network is in use.
 *
 *    net.look(images)               computes every value
 *    net.look(images, targets)      and the way back; gives the cost
 *    net.value('conv1', image)      a value's numbers for one image, channels first
 *    net.gradient('conv1', image)   the gradient of the mean cost there, or all of a parameter's
 *    net.stepped(0.5, -0.01)        what a first step of the optimiser makes of a weight with that gradient
 */
export const looking = (Base) => class extends Base {
  look(x, targets = null) {
    const plan = this.plans.look, { b, n } = this.feed('look', x);
    if (targets) aim(plan.targets, b, targets, n);
    if (!targets) for (const [, id] of plan.targets ?? []) b[id].fill(0);
    const cost = plan.forward(this.room, b, this.p, n, this.random)?.cost ?? null; // a part of a network has none
    if (targets) plan.backward(this.room, b, this.p, this.g, n);
    this.seen = { b, n, back: targets !== null };
    return cost;
  }

  value(name, image = 0) {
    return this.looked(this.plans.look.outputs, name, image);
  }

  gradient(name, image = 0) {
    if (!this.seen?.back) throw new Error('look(images, targets) goes the way back; nobody has asked for it');
    const own = this.parameters.find(([known]) => known === name);
    if (own) return this.g[own[1]].slice();
    return this.looked(this.plans.look.gradients, name, image);
  }

  /** The weight after one step from rest: { after, rate, scale }; null where the optimiser has no JavaScript. A
   * gradient that is clipped is clipped with all of those that were looked at last. */
  stepped(weight, gradient) {
    const { training } = this;
    if (!training) return null;
    const scalars = training.scalars(1, training.lr);
    if (training.clip !== null) scalars.scale = clipScale(this.blocks.gradient, training.clip);
    const at = [weight], moments = Object.fromEntries(training.moments.map((name) => [name, [0]]));
    training.update(at, [gradient], moments, scalars);
    return { after: at[0], rate: training.lr, scale: scalars.scale ?? 1 };
  }

  looked(table, name, image) {
    const row = table.find(([known]) => known === name), { b, n } = this.seen;
    if (!row) throw new Error(`there is no value ${name}: there are ${table.map(([known]) => known).join(', ')}`);
    const out = new this.Real(sizeOf(row[2]));
    for (let j = 0; j < out.length; j++) out[j] = b[row[1]][j * n + image];
    return out;
  }
};
