"""The networks of specs/ once more, in PyTorch's own functions; weights are found by our names."""

from __future__ import annotations

import torch
import torch.nn.functional as F

relu = F.relu


class Weights:
    """Parameters by name, seen from a block: `at("basic1").conv("conv1", x)` uses `basic1.conv1.weight`."""

    def __init__(self, tensors, path=""):
        self.tensors, self.path = tensors, path

    def at(self, block):
        return Weights(self.tensors, f"{self.path}{block}.")

    def __getitem__(self, name):
        return self.tensors.get(self.path + name)

    def conv(self, name, x, **settings):
        function = F.conv2d if x.dim() == 4 else F.conv1d
        return function(x, self[f"{name}.weight"], self[f"{name}.bias"], **settings)

    def depthwise(self, name, x, **settings):
        return self.conv(name, x, groups=x.shape[1], **settings)

    def up(self, name, x, **settings):
        return F.conv_transpose2d(x, self[f"{name}.weight"], self[f"{name}.bias"], **settings)

    def dense(self, name, x):
        return F.linear(x.flatten(1), self[f"{name}.weight"], self[f"{name}.bias"])

    def bn(self, name, x, eps=1e-5):
        return F.batch_norm(x, None, None, self[f"{name}.weight"], self[f"{name}.bias"], training=True, eps=eps)

    def layernorm(self, name, x):
        last = x.movedim(1, -1)
        weight, bias = self[f"{name}.weight"], self[f"{name}.bias"]
        return F.layer_norm(last, weight.shape, weight, bias, 1e-6).movedim(-1, 1)


def gap(x):
    return x.flatten(2).mean(2)


def cb(w, x, k, s=1, eps=1e-5):
    return w.bn("bn1", w.conv("conv1", x, stride=s, padding=k // 2), eps)


def lenet5(w, x):
    x = F.avg_pool2d(torch.tanh(w.conv("conv1", x, padding=2)), 2)
    x = F.avg_pool2d(torch.tanh(w.conv("conv2", x)), 2)
    x = torch.tanh(w.conv("conv3", x))
    return w.dense("dense2", torch.tanh(w.dense("dense1", x)))


def alexnet(w, x):
    x = F.max_pool2d(relu(w.conv("conv1", x, stride=4, padding=2)), 3, 2)
    x = F.max_pool2d(relu(w.conv("conv2", x, padding=2)), 3, 2)
    for name in ("conv3", "conv4", "conv5"):
        x = relu(w.conv(name, x, padding=1))
    x = F.max_pool2d(x, 3, 2)
    return w.dense("dense3", relu(w.dense("dense2", relu(w.dense("dense1", x)))))


def vgg16(w, x):
    for stage, depth in enumerate((2, 2, 3, 3, 3), 1):
        for layer in range(1, depth + 1):
            x = relu(w.at(f"stage{stage}").conv(f"conv{layer}", x, padding=1))
        x = F.max_pool2d(x, 2)
    return w.dense("dense3", relu(w.dense("dense2", relu(w.dense("dense1", x)))))


def googlenet(w, x):
    def cbr(w, x, k, s=1):
        return relu(cb(w, x, k, s, eps=1e-3))

    def inception(w, x):
        return torch.cat(
            [
                cbr(w.at("cbr1"), x, 1),
                cbr(w.at("cbr3"), cbr(w.at("cbr2"), x, 1), 3),
                cbr(w.at("cbr5"), cbr(w.at("cbr4"), x, 1), 3),
                cbr(w.at("cbr6"), F.max_pool2d(x, 3, 1, 1), 1),
            ],
            1,
        )

    x = F.max_pool2d(cbr(w.at("cbr1"), x, 7, 2), 3, 2, ceil_mode=True)
    x = cbr(w.at("cbr3"), cbr(w.at("cbr2"), x, 1), 3)
    for count in range(1, 10):
        if count in (1, 3):
            x = F.max_pool2d(x, 3, 2, ceil_mode=True)
        if count == 8:
            x = F.max_pool2d(x, 2, 2, ceil_mode=True)
        x = inception(w.at(f"inception{count}"), x)
    return w.dense("dense1", gap(x))


def resnet18(w, x):
    def basic(w, x):
        return relu(cb(w.at("cb2"), relu(cb(w.at("cb1"), x, 3)), 3) + x)

    def down(w, x):
        return relu(cb(w.at("cb2"), relu(cb(w.at("cb1"), x, 3, 2)), 3) + cb(w.at("cb3"), x, 1, 2))

    x = F.max_pool2d(relu(cb(w.at("cb1"), x, 7, 2)), 3, 2, 1)
    x = basic(w.at("basic2"), basic(w.at("basic1"), x))
    for stage in (1, 2, 3):
        x = basic(w.at(f"basic{stage + 2}"), down(w.at(f"down{stage}"), x))
    return w.dense("dense1", gap(x))


def resnet50(w, x):
    def body(w, x, s=1):
        x = relu(cb(w.at("cb2"), relu(cb(w.at("cb1"), x, 1)), 3, s))
        return cb(w.at("cb3"), x, 1)

    x = F.max_pool2d(relu(cb(w.at("cb1"), x, 7, 2)), 3, 2, 1)
    bottle = 0
    for stage, depth in enumerate((2, 3, 5, 2), 1):
        s, inner = 2 if stage > 1 else 1, w.at(f"widen{stage}")
        x = relu(body(inner.at("body1"), x, s) + cb(inner.at("cb1"), x, 1, s))
        for _ in range(depth):
            bottle += 1
            x = relu(body(w.at(f"bottle{bottle}").at("body1"), x) + x)
    return w.dense("dense1", gap(x))


def resnet20(w, x):
    def two(w, x, s=1):
        x = relu(w.bn("bn1", w.conv("conv1", x, stride=s, padding=1)))
        return w.bn("bn2", w.conv("conv2", x, padding=1))

    x, count = relu(w.bn("bn1", w.conv("conv1", x, padding=1))), 0
    for stage, depth in enumerate((3, 2, 2)):
        if stage:
            down = w.at(f"down{stage}")
            x = relu(two(down, x, 2) + down.bn("bn3", down.conv("conv3", x, stride=2)))
        for _ in range(depth):
            count += 1
            x = relu(two(w.at(f"basic{count}"), x) + x)
    return w.dense("dense1", gap(x))


def squeezenet(w, x):
    def fire(w, x):
        x = relu(w.conv("conv1", x))
        return torch.cat([relu(w.conv("conv2", x)), relu(w.conv("conv3", x, padding=1))], 1)

    x = F.max_pool2d(relu(w.conv("conv1", x, stride=2)), 3, 2, ceil_mode=True)
    for count in range(1, 9):
        x = fire(w.at(f"fire{count}"), x)
        if count in (3, 7):
            x = F.max_pool2d(x, 3, 2, ceil_mode=True)
    return gap(relu(w.conv("conv2", x)))


def densenet121(w, x):
    x = F.max_pool2d(relu(w.bn("bn1", w.conv("conv1", x, stride=2, padding=3))), 3, 2, 1)
    count = 0
    for stage, depth in enumerate((6, 12, 24, 16)):
        if stage:
            halve = w.at(f"halve{stage}")
            x = F.avg_pool2d(halve.conv("conv1", relu(halve.bn("bn1", x))), 2)
        for _ in range(depth):
            count += 1
            layer = w.at(f"layer{count}")
            new = layer.conv("conv1", relu(layer.bn("bn1", x)))
            x = torch.cat([x, layer.conv("conv2", relu(layer.bn("bn2", new)), padding=1)], 1)
    return w.dense("dense1", gap(relu(w.bn("bn2", x))))


def mobilenetv2(w, x):
    def narrow(w, x, s=1):
        x = F.relu6(w.bn("bn1", w.depthwise("dwconv1", x, stride=s, padding=1)))
        return w.bn("bn2", w.conv("conv1", x))

    def wide(w, x, s=1):
        return narrow(w.at("narrow1"), F.relu6(w.bn("bn1", w.conv("conv1", x))), s)

    x = narrow(w.at("narrow1"), F.relu6(w.bn("bn1", w.conv("conv1", x, stride=2, padding=1))))
    count = 0
    for stage, (s, again) in enumerate(((2, 1), (2, 2), (2, 3), (1, 2), (2, 2), (1, 0)), 1):
        x = wide(w.at(f"wide{stage}"), x, s)
        for _ in range(again):
            count += 1
            x = wide(w.at(f"again{count}").at("wide1"), x) + x
    return w.dense("dense1", gap(F.relu6(w.bn("bn2", w.conv("conv2", x)))))


def shufflenetv2(w, x):
    def plain(w, x):
        return relu(w.bn("bn1", w.conv("conv1", x)))

    def dw(w, x, s):
        return w.bn("bn1", w.depthwise("dwconv1", x, stride=s, padding=1))

    x = F.max_pool2d(relu(w.bn("bn1", w.conv("conv1", x, stride=2, padding=1))), 3, 2, 1)
    count = 0
    for stage, depth in enumerate((3, 7, 3), 1):
        down = w.at(f"down{stage}")
        left = plain(down.at("cb1"), dw(down.at("dw1"), x, 2))
        right = plain(down.at("cb3"), dw(down.at("dw2"), plain(down.at("cb2"), x), 2))
        x = F.channel_shuffle(torch.cat([left, right], 1), 2)
        for _ in range(depth):
            count += 1
            unit = w.at(f"unit{count}")
            left, right = x.chunk(2, 1)
            right = plain(unit.at("cb2"), dw(unit.at("dw1"), plain(unit.at("cb1"), right), 1))
            x = F.channel_shuffle(torch.cat([left, right], 1), 2)
    return w.dense("dense1", gap(plain(w.at("cb1"), x)))


def efficientnet(w, x):
    def dw(w, x, k, s=1):
        return F.silu(w.bn("bn1", w.depthwise("dwconv1", x, stride=s, padding=k // 2)))

    def squeeze(w, x):
        gate = torch.sigmoid(w.dense("dense2", F.silu(w.dense("dense1", gap(x)))))
        return x * gate[:, :, None, None]

    def inner(w, x, k, s=1):
        x = dw(w.at("dw1"), F.silu(cb(w.at("cb1"), x, 1)), k, s)
        return cb(w.at("cb2"), squeeze(w.at("squeeze1"), x), 1)

    x = F.silu(cb(w.at("cb1"), x, 3, 2))
    x = cb(w.at("cb2"), squeeze(w.at("squeeze1"), dw(w.at("dw1"), x, 3)), 1)
    count = 0
    for stage, (k, s, again) in enumerate(((3, 2, 1), (5, 2, 1), (3, 2, 2), (5, 1, 2), (5, 2, 3), (3, 1, 0)), 1):
        x = inner(w.at(f"inner{stage}"), x, k, s)
        for _ in range(again):
            count += 1
            x = inner(w.at(f"again{count}").at("inner1"), x, k) + x
    return w.dense("dense1", gap(F.silu(cb(w.at("cb3"), x, 1))))


def convnext(w, x):
    def body(w, x):
        y = w.layernorm("layernorm1", w.depthwise("dwconv1", x, padding=3))
        y = w.conv("conv2", F.gelu(w.conv("conv1", y)))
        return x + y * w["scale1.weight"][:, None, None]

    x = w.layernorm("layernorm1", w.conv("conv1", x, stride=4))
    count = 0
    for stage, depth in enumerate((3, 3, 9, 3)):
        if stage:
            down = w.at(f"down{stage}")
            x = down.conv("conv1", down.layernorm("layernorm1", x), stride=2)
        for _ in range(depth):
            count += 1
            x = body(w.at(f"body{count}"), x)
    return w.dense("dense1", w.layernorm("layernorm2", gap(x)))


def unet(w, x):
    def two(name, x):
        inner = w.at(name)
        return relu(inner.conv("conv2", relu(inner.conv("conv1", x))))

    kept = []
    for level in range(1, 5):
        kept.append(two(f"e{level}", x))
        x = F.max_pool2d(kept[-1], 2)
    x = two("two1", x)
    for level in range(1, 5):
        x, beside = w.at(f"grow{level}").up("upconv1", x, stride=2), kept.pop()
        edge = (beside.shape[2] - x.shape[2]) // 2
        beside = beside[:, :, edge : edge + x.shape[2], edge : edge + x.shape[3]]
        x = two(f"two{1 + level}", torch.cat([beside, x], 1))
    return w.conv("conv1", x)


def dcgan(w, x):
    x = relu(w.bn("bn1", w.up("upconv1", x[:, :, None, None])))
    for count in (2, 3, 4):
        x = relu(w.bn(f"bn{count}", w.up(f"upconv{count}", x, stride=2, padding=1)))
    return torch.tanh(w.up("upconv5", x, stride=2, padding=1))


def autoencoder(w, x):
    for count in range(1, 4):
        x = F.max_pool2d(relu(cb(w.at(f"cbr{count}"), x, 3)), 2)
    for count in range(4, 7):
        x = relu(cb(w.at(f"cbr{count}"), F.interpolate(x, scale_factor=2), 3))
    return w.conv("conv1", x)


def sequence(w, x):
    for count, pad in ((1, 4), (2, 2)):
        x = F.max_pool1d(relu(w.conv(f"conv{count}", x, padding=pad)), 2)
    x = relu(w.conv("conv3", x, padding=1)).mean(2)
    return w.dense("dense2", relu(w.dense("dense1", x)))


def iris(w, x):
    return w.dense("dense3", relu(w.dense("dense2", relu(w.dense("dense1", x)))))


def siamese(w, left, right):
    look = w.at("look")

    def seen(x):
        x = F.max_pool2d(relu(look.conv("conv1", x)), 2)
        return torch.tanh(look.dense("dense1", F.max_pool2d(relu(look.conv("conv2", x)), 2)))

    return torch.sigmoid(w.dense("dense1", seen(left) * seen(right)))


def two_heads(w, x):
    for count in (1, 2):
        x = F.max_pool2d(relu(w.bn(f"bn{count}", w.conv(f"conv{count}", x, padding=1))), 2)
    x = relu(w.dense("dense1", x))
    return w.at("digit").dense("dense1", x), torch.tanh(w.at("angle").dense("dense1", x))
