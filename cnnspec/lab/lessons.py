"""The lessons of the course, in their order."""

from __future__ import annotations

from .lesson import Lesson

LESSONS = (
    Lesson(
        "1-convolution",
        "1. Convolution",
        40,
        (
            "A filter is a small square of weights. It is laid on a piece of the image, each weight is "
            "multiplied with the number under it, and the products and a bias are added: one number. Then it "
            "slides on. What comes of all its places is a map: bright where the image looks as the filter does.",
            "`conv 8x5x5` has eight such filters of 5x5, so it makes eight maps. Where the filter would stand "
            "over the edge it does not go: a map is four rows and columns smaller than the image.",
            "Train it for an epoch, look inside, and click a number of `conv1`: there are the 25 products.",
        ),
        (
            {
                "kind": "shape",
                "of": "conv1",
                "change": ["conv 8x5x5", "conv 12x7x7"],
                "ask": "Before you try it: what does `conv1` give, if it is written `conv 12x7x7`?",
            },
            {
                "kind": "figure",
                "of": "conv1",
                "what": "count",
                "change": ["conv 8x5x5", "conv 12x7x7"],
                "ask": "And how many parameters has `conv 12x7x7` here? A filter has a weight for each of its "
                "places, and one bias.",
            },
            {
                "kind": "dead",
                "of": "conv1",
                "ask": "Before it was trained, one filter of this network was broken: `relu1` gives 0 for its "
                "channel, whatever the image. Begin anew, press one step, and find it. Which channel of `conv1` "
                "is dead?",
            },
        ),
    ),
    Lesson(
        "2-stride-and-padding",
        "2. Stride and padding",
        35,
        (
            "`pad same` puts zeros around the image, so that a map keeps its size; `pad 1` puts one row or "
            "column on each side. `stride 2` slides by two pixels: a map is half as high and half as wide, and "
            "there is a quarter of the work in the next layer.",
            "Of n pixels with padding p, a window of k and a stride of s make floor((n + 2p - k) / s) + 1.",
        ),
        (
            {
                "kind": "shape",
                "of": "conv2",
                "change": ["conv 16x3x3 stride 2 pad 1 -> relu  # 16x14x14", "conv 16x3x3 stride 3 -> relu"],
                "ask": "What does `conv2` give with `stride 3` and without padding?",
            },
            {
                "kind": "figure",
                "of": "conv2",
                "what": "macs",
                "change": ["conv 16x3x3 stride 2 pad 1 -> relu  # 16x14x14", "conv 16x3x3 pad same -> relu"],
                "ask": "How many multiply-adds takes `conv2` for an image, if it is `conv 16x3x3 pad same`, "
                "without its stride? (For each of its numbers as many as a filter has weights.)",
            },
            {
                "kind": "make",
                "of": "conv3",
                "shape": "16x5x5",
                "ask": "Change the text so that `conv3` gives 16x5x5. There are several ways.",
            },
        ),
    ),
    Lesson(
        "3-pooling",
        "3. Pooling",
        35,
        (
            "`maxpool 2` keeps the largest number of each 2x2 window: whether a pattern is there matters more "
            "than exactly where. It has no weights.",
            "On the way back the gradient of a window goes to the one number that was the largest. The three "
            "others had no part in the answer: moving them a little changes nothing, so they get 0. The same "
            "holds for a number below 0 that `relu` has cut off.",
        ),
        (
            {
                "kind": "shape",
                "of": "maxpool1",
                "change": [
                    "conv 8x3x3 pad same -> relu -> maxpool 2",
                    "conv 8x3x3 pad same -> relu -> maxpool 3 stride 1",
                ],
                "ask": "What does the first pooling give, if it is `maxpool 3 stride 1`?",
            },
            {
                "kind": "gradient",
                "of": "conv1",
                "relu": "relu1",
                "ask": "Find a number of `conv1` that gets no gradient for the image that is chosen in the tab "
                'train, and say why. (Look inside: the view "gradient of the cost".)',
            },
            {
                "kind": "reach",
                "accuracy": 0.93,
                "without": "maxpool",
                "ask": "Pooling is not the only way: reach 93 % on the test images without any `maxpool`.",
            },
        ),
    ),
    Lesson(
        "4-receptive-field",
        "4. What a number sees",
        30,
        (
            "A number of the first layer sees 3x3 pixels. One of the second sees 3x3 numbers of the first, and "
            "so 5x5 pixels. Behind a pooling or a stride of 2 a step counts twice, and what is seen grows "
            "quickly. `dilate 2` leaves a gap between the weights, and sees more with as many of them.",
            "The table below the drawing says what each layer sees; looking inside, it is drawn on the image.",
        ),
        (
            {
                "kind": "figure",
                "of": "conv3",
                "what": "sees",
                "change": ["-> conv 8x3x3 pad same -> relu  # sees 5x5", "-> conv 8x3x3 dilate 2 pad same -> relu"],
                "ask": "How many pixels along a side does a number of `conv3` see, if the second convolution "
                "has `dilate 2`?",
            },
            {
                "kind": "make",
                "of": "conv3",
                "sees": 20,
                "most": 1500,
                "ask": "Let a number of `conv3` see 20 pixels along a side or more, with no more than 1,500 "
                "parameters in the network.",
            },
        ),
    ),
    Lesson(
        "5-cost-and-backprop",
        "5. Cost, and the way back",
        45,
        (
            "The cost of an answer is minus the logarithm of the share that it gives to what is right: 0 if it "
            "is sure and right, large if it is sure and wrong. A training step asks, for every weight, how the "
            "cost would change if the weight did: that is its gradient. It is computed from the cost backwards, "
            "layer by layer, by the chain rule.",
            'Look inside and press the view "gradient of the cost": a number of a map is orange if the cost '
            "would rise with it. Click one to see who gave it back how much.",
        ),
        (
            {
                "kind": "cost",
                "ask": "A network that knows nothing gives each of ten classes the same share. What is its "
                "cost, to two decimals? (Compare with the first point of the curve.)",
            },
            {
                "kind": "gradient",
                "of": "conv1",
                "relu": "relu1",
                "ask": "With `maxpool 4` most numbers of `conv1` get no gradient. Find one whose `relu` is "
                "open nevertheless, or one whose `relu` is shut, and say which.",
            },
        ),
    ),
    Lesson(
        "6-optimisers",
        "6. Optimisers",
        40,
        (
            "`sgd` goes a step along the gradient, as long as the learning rate says: a small rate is slow, a "
            "large one jumps over the valley and climbs. `momentum` goes on as it went before, as a ball does. "
            "`adam` has a rate of its own for each weight, by how large its gradients have been.",
            "All of it can be turned while it trains. Try before you answer.",
        ),
        (
            {
                "kind": "rate",
                "above": 2,
                "ask": "Find a learning rate at which `sgd` does not learn: after some 20 steps the cost is "
                "still above 2 (or no number any more). Turn the slider, and leave the curve as the proof.",
            },
            {
                "kind": "reach",
                "accuracy": 0.93,
                "epochs": 2,
                "ask": "Reach 93 % on the test images within two epochs. The text may say what it likes in "
                "`train`.",
            },
        ),
    ),
    Lesson(
        "7-normalisation-and-dropout",
        "7. Normalisation and dropout",
        40,
        (
            "`bn` brings each channel of a batch to mean 0 and deviation 1, and then lets it choose a mean and "
            "a deviation of its own: two parameters for each channel. Layers behind it need not follow every "
            "change of those before. In use it takes the mean and deviation that it remembers.",
            "`dropout 30%` sets each number to 0 with a chance of 30 % while it learns, so that no number "
            "relies on another alone. In use it does nothing.",
        ),
        (
            {
                "kind": "figure",
                "of": "bn2",
                "what": "count",
                "change": ["conv 16x3x3", "conv 24x3x3"],
                "ask": "How many trained parameters has the second `bn`, if the convolution before it has 24 "
                "filters?",
            },
            {
                "kind": "reach",
                "accuracy": 0.96,
                "word": "bn",
                "epochs": 4,
                "ask": "Reach 96 % on the test images within four epochs, with a `bn` in the network.",
            },
        ),
    ),
    Lesson(
        "8-residuals-and-overfitting",
        "8. Residuals and overfitting",
        60,
        (
            "`add( ... | id )` adds what a few layers make to what they were given. The gradient then has a way "
            "back that no layer can narrow, and many layers can be trained. A `block` is such a piece with a "
            "name.",
            "A network with many weights can learn its 5,000 images by heart: the accuracy of the training "
            "steps goes on to rise, that on the test images does not. Fewer weights, `dropout` and `augment` "
            "(images moved a little, so that none is seen twice) work against it.",
            "`expect` says what a network must hold to: `cnnspec check` and `cnnspec run` judge by it.",
        ),
        (
            {
                "kind": "shape",
                "of": "residual1.add1",
                "change": [
                    "conv 5x3x3 pad same bias off -> bn -> relu -> maxpool 2\n  -> residual(5)",
                    "conv 9x3x3 pad same bias off -> bn -> relu -> maxpool 2\n  -> residual(9)",
                ],
                "ask": "`add` wants two sides of one shape. What does `residual1.add1` give, if the first "
                "convolution has 9 filters and the block is `residual(9)`?",
            },
            {
                "kind": "figure",
                "what": "parameters",
                "change": ["-> residual(5)", "-> residual(5) -> residual(5)"],
                "ask": "How many parameters has the whole network with a second block?",
            },
            {
                "kind": "reach",
                "accuracy": 0.97,
                "most": 4999,
                "ask": "Keep what `expect` says: 97 % on the test images with fewer than 5,000 parameters. "
                "More filters, more epochs, another block?",
            },
        ),
    ),
)
