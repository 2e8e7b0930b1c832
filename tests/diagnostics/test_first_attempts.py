"""First attempts of people who know Keras, PyTorch or another language: each is one finding that can be acted on.

A row is what they write, the piece that the finding must mark, and what the file is once the finding's own fix is
applied, or a piece of the help where no fix is certain. The fixed file must read without an error, so that nothing
that is offered leads astray. `^` stands for the head of a file, `$` for its end.
"""

from __future__ import annotations

from random import Random

import pytest

from cnnspec.diagnostics import Source
from cnnspec.lang import read
from cnnspec.lang.hints.fixes import edited

HEAD, END = "input 1x28x28\n", " -> dense 10 -> softmax\n"

FIXED: tuple[tuple[str, str, str], ...] = (
    # counts and names of numbers
    ("let n = 3\n^(conv 8x3x3 pad same)*n$", "n", "let n = 3\n^(conv 8x3x3 pad same)*{n}$"),
    ("^block b(n) = (conv 8x3x3 pad same)*n\nb(2)$", "n", "^block b(n) = (conv 8x3x3 pad same)*{n}\nb(2)$"),
    ("let w = 8\n^conv wx3x3 -> relu$", "wx3x3", "let w = 8\n^conv {w}x3x3 -> relu$"),
    ("let w = 8\n^conv wx3x3 pad same -> relu$", "wx3x3", "let w = 8\n^conv {w}x3x3 pad same -> relu$"),
    ("let k = 3\n^conv 8xkxk -> relu$", "8xkxk", "let k = 3\n^conv 8x{k}x{k} -> relu$"),
    ("let w = 8\n^conv 2*wx3x3 -> relu$", "2*wx3x3", "let w = 8\n^conv {2*w}x3x3 -> relu$"),
    ("let w = 8\n^dense w -> relu$", "w", "let w = 8\n^dense {w} -> relu$"),
    ("let s = 2\n^conv 8x3x3 stride s pad same$", "s", "let s = 2\n^conv 8x3x3 stride {s} pad same$"),
    ("^(conv 8x3x3 pad same -> relu) x 3$", "x 3", "^(conv 8x3x3 pad same -> relu)*3$"),
    ("^(conv 8x3x3 pad same -> relu) x3$", "x3", "^(conv 8x3x3 pad same -> relu)*3$"),
    ("^(conv 8x3x3 pad same -> relu) 3$", "3", "^(conv 8x3x3 pad same -> relu)*3$"),
    ("^(conv 8x3x3 pad same -> relu)**3$", "**3", "^(conv 8x3x3 pad same -> relu)*3$"),
    ("^conv 8x3x3 pad same x 3$", "x 3", "^conv 8x3x3 pad same*3$"),
    ("^conv 8x3x3 x 2$", "x 2", "^conv 8x3x3*2$"),
    ("^relu x 3$", "x 3", "^relu*3$"),
    ("^dense 9 x 2$", "x 2", "^dense 9*2$"),
    ("^conv 8 x 3 x 3$", "8 x 3 x 3", "^conv 8x3x3$"),
    # values without their sign, inputs as layers
    ("input 1x28x28 as img\nimg -> conv 8x3x3$", "img", "input 1x28x28 as img\n@img -> conv 8x3x3$"),
    ("^x -> conv 8x3x3$", "x", "^ conv 8x3x3$"),
    ("^input -> conv 8x3x3$", "input ->", "^conv 8x3x3$"),
    ("^conv 8x3x3 as e -> relu as f\ne -> dense 9$", "e", "^conv 8x3x3 as e -> relu as f\n@e -> dense 9$"),
    ("input (1, 28, 28)\nconv 8x3x3$", "(1, 28, 28)", "input 1x28x28\nconv 8x3x3$"),
    ("input: 1x28x28\nconv 8x3x3$", ": 1x28x28", "input 1x28x28\nconv 8x3x3$"),
    ("input shape=1x28x28\nconv 8x3x3$", "shape=1x28x28", "input 1x28x28\nconv 8x3x3$"),
    ("input 28x28\nconv 8x3x3$", "8x3x3", "input 1x28x28\nconv 8x3x3$"),
    # comments
    ("^conv 8x3x3 -> relu // the first\n$", "//", "^conv 8x3x3 -> relu # the first\n$"),
    ("// don't\n^conv 8x3x3$", "//", "# don't\n^conv 8x3x3$"),
    ("let w = 8 // the width\n^dense {w} -> relu$", "//", "let w = 8 # the width\n^dense {w} -> relu$"),
    ("/* a net\n * of mine (\n */\n^conv 8x3x3$", "/*", "# a net\n# of mine (\n^conv 8x3x3$"),
    ("-- a net\n^conv 8x3x3$", "--", "# a net\n^conv 8x3x3$"),
    ('"""A net."""\n^conv 8x3x3$', '"""', "# A net.\n^conv 8x3x3$"),
    # settings of other systems
    ("^conv 8x3x3 activation relu$", "activation", "^conv 8x3x3 -> relu$"),
    ("^conv 8x3x3 activation='relu'$", "activation", "^conv 8x3x3 -> relu$"),
    ("^conv 8x3x3 -> relu -> dense 9 activation tanh$", "activation", "^conv 8x3x3 -> relu -> dense 9 -> tanh$"),
    ("^conv 8 kernel_size 3 -> relu$", "kernel_size", "^conv 8x3x3 -> relu$"),
    ("^conv 8 kernel_size=(3, 5) -> relu$", "kernel_size", "^conv 8x3x5 -> relu$"),
    ("^conv filters 8 kernel_size 3 strides 2$", "filters", "^conv 8x3x3 stride 2$"),
    ("^conv in_channels 1 out_channels 8 kernel_size 3$", "in_channels", "^conv 8x3x3$"),
    ("^dense units 9 -> relu$", "units", "^dense 9 -> relu$"),
    ("^dropout rate 0.5 -> conv 8x3x3$", "rate", "^dropout 0.5 -> conv 8x3x3$"),
    ("^dropout p=0.5 -> conv 8x3x3$", "p", "^dropout 0.5 -> conv 8x3x3$"),
    ("^dropout 50 -> conv 8x3x3$", "50", "^dropout 50% -> conv 8x3x3$"),
    ("^conv 8x3x3 padding='same'$", "='same'", "^conv 8x3x3 padding same$"),
    ('^conv 8x3x3 padding "same"$', '"same"', "^conv 8x3x3 padding same$"),
    ("^conv 8x3x3 strides=(2, 2)$", "=(2, 2)", "^conv 8x3x3 strides 2x2$"),
    ("^conv 8x3x3 stride 2 2$", "2 2", "^conv 8x3x3 stride 2x2$"),
    ("^conv 8 3$", "8 3", "^conv 8x3x3$"),
    ("^conv 8x3x3 init he_normal$", "he_normal", "^conv 8x3x3 init kaiming_normal$"),
    ("^maxpool pool_size 2 -> conv 8x3x3$", "pool_size", "^maxpool 2 -> conv 8x3x3$"),
    ("^conv 8x3x3 name c1$", "name", "^conv 8x3x3 as c1$"),
    ("^conv 8x3x3 -> relu inplace=True$", "inplace", "^conv 8x3x3 -> relu$"),
    ("^dense 10 -> softmax dim=1\n", "dim", "^dense 10 -> softmax\n"),
    ("^upsample scale_factor 2 -> conv 8x3x3$", "scale_factor", "^upsample 2 -> conv 8x3x3$"),
    ("^conv 8x3x3 bias off -> bn affine False$", "affine", "^conv 8x3x3 bias off -> bn$"),
    # layers as papers write them
    ("^conv 8x3x3 /2$", "conv 8x3x3 /2", "^conv 8x3x3 stride 2$"),
    ("^conv 8x3x3, /2$", "conv 8x3x3, /2", "^conv 8x3x3 stride 2$"),
    ("^conv 8x3x3 s2$", "conv 8x3x3 s2", "^conv 8x3x3 stride 2$"),
    ("^conv 8x3x3 s=2 p=1$", "conv 8x3x3 s=2 p=1", "^conv 8x3x3 stride 2 pad 1$"),
    ("^conv 8x3x3 (stride 2)$", "conv 8x3x3 (stride 2)", "^conv 8x3x3 stride 2$"),
    ("^conv 8x3x3 [stride 2, pad 1]$", "conv 8x3x3 [", "^conv 8x3x3 stride 2 pad 1$"),
    ("^conv 8x3x3 (ReLU)$", "conv 8x3x3 (ReLU)", "^conv 8x3x3 -> relu$"),
    ("^3x3 conv, 64$", "3x3 conv, 64", "^conv 64x3x3$"),
    ("^3x3 conv, 64, /2$", "3x3 conv, 64, /2", "^conv 64x3x3 stride 2$"),
    ("^3x3 conv, 64, BN, ReLU$", "3x3 conv, 64", "^conv 64x3x3 -> bn -> relu$"),
    ("^relu -> 3×3 convolution, 64 filters, stride 2$", "3×3", "^relu -> conv 64x3x3 stride 2$"),
    ("^conv1: 3x3, 64$", "conv1", "^conv 64x3x3$"),
    ("^conv3-64$", "conv3-64", "^conv 64x3x3$"),
    ("^conv 3x3, 64$", "conv 3x3, 64", "^conv 64x3x3$"),
    ("^conv 3x3 64$", "conv 3x3 64", "^conv 64x3x3$"),
    ("^conv(3x3, 64)$", "conv(3x3", "^conv 64x3x3$"),
    ("^conv 64 @ 3x3$", "conv 64 @", "^conv 64x3x3$"),
    ("^64 conv 3x3$", "64 conv", "^conv 64x3x3$"),
    ("^conv 64, 3x3, stride 2, pad 1$", "conv 64, 3x3", "^conv 64x3x3 stride 2 pad 1$"),
    ("^conv-bn-relu 8x3x3$", "conv-bn-relu", "^conv 8x3x3 -> bn -> relu$"),
    ("^conv 8x3x3 -> max pool 2$", "max pool 2", "^conv 8x3x3 -> maxpool 2$"),
    ("^conv 8x3x3 -> max pooling 2x2$", "max pooling", "^conv 8x3x3 -> maxpool 2x2$"),
    ("^conv 8x3x3 -> 2x2 max-pool, stride 2$", "2x2 max", "^conv 8x3x3 -> maxpool 2x2 stride 2$"),
    ("^conv 8x3x3 -> 3x3 max pool, /2$", "3x3 max", "^conv 8x3x3 -> maxpool 3x3 stride 2$"),
    ("^conv 8x3x3 -> avg pool$", "avg pool", "^conv 8x3x3 -> gap$"),
    ("^conv 8x3x3 -> avg pool 2$", "avg pool 2", "^conv 8x3x3 -> avgpool 2$"),
    ("^conv 8x3x3 -> average pooling 2x2$", "average", "^conv 8x3x3 -> avgpool 2x2$"),
    ("^conv 8x3x3 -> global average pooling$", "global", "^conv 8x3x3 -> gap$"),
    ("^conv 8x3x3 -> global max pool$", "global", "^conv 8x3x3 -> gmp$"),
    ("^conv 8x3x3 bias off -> batch norm -> relu$", "batch norm", "^conv 8x3x3 bias off -> bn -> relu$"),
    ("^conv 8x3x3 bias off -> batch normalization$", "batch norm", "^conv 8x3x3 bias off -> bn$"),
    ("^fully connected 20 -> relu$", "fully", "^dense 20 -> relu$"),
    ("^FC-20 -> relu$", "FC-20", "^dense 20 -> relu$"),
    ("^20-d fc, relu$", "20-d fc", "^dense 20 -> relu$"),
    ("^conv 8x3x3 -> dense 10 -> soft-max\n", "soft-max", "^conv 8x3x3 -> dense 10 -> softmax\n"),
    ("^conv 3x3x64$", "3x64", "^conv 64x3x3$"),
    (
        "data { source mnist ; target input }\n^upsample 1 -> sigmoid\ntrain { cost mse }\n",
        "input }",
        "data { source mnist ; target itself }\n^upsample 1 -> sigmoid\ntrain { cost mse }\n",
    ),
    # arrows and signs between layers
    ("^conv 8x3x3 ---> relu$", "--->", "^conv 8x3x3 -> relu$"),
    ("^conv 8x3x3 =>> relu$", "=>>", "^conv 8x3x3 -> relu$"),
    ("^conv 8x3x3 ↓ relu$", "↓", "^conv 8x3x3 -> relu$"),
    ("^conv 8x3x3 | relu | maxpool 2$", "|", "^conv 8x3x3 -> relu -> maxpool 2$"),
    ("^conv 8x3x3 bias off + bn + relu$", "+", "^conv 8x3x3 bias off -> bn -> relu$"),
    # lists, tables, lines of programs
    ("^- conv 8x3x3\n- relu\n- fc 10\n", "- conv 8x3x3", "^conv 8x3x3\n  -> relu\n  -> fc 10\n"),
    ("^conv 8x3x3\n* relu\n* fc 9\n", "* relu", "^conv 8x3x3\n  -> relu\n  -> fc 9\n"),
    ("^1. 3x3 conv, 8\n2. ReLU\n", "1. 3x3 conv", "^conv 8x3x3\n  -> ReLU\n"),
    ("^1) conv 8x3x3 # first\n2) relu\n", "1) conv", "^conv 8x3x3  # first\n  -> relu\n"),
    ("- input 1x28x28\n- relu\n- dense 9\n", "- input", "input 1x28x28\nrelu\n  -> dense 9\n"),
    ("^| conv 8x3x3 | relu | dense 9 |\n", "| conv", "^conv 8x3x3 -> relu -> dense 9\n"),
    (
        "^| # | layer | size |\n|---|---|---|\n| 1 | conv | 8x3x3 |\n| 2 | max pool | 2x2 |\n| 3 | relu | |\n",
        "| # |",
        "^conv 8x3x3\n  -> maxpool 2x2\n  -> relu\n",
    ),
    ("^model.add(Conv2D(8, 3, activation='relu'))\n", "model.add", "^conv 8x3x3 -> relu\n"),
    ("^conv 8x3x3\nx = Dense(9)(x)\n", "x =", "^conv 8x3x3\n-> dense 9\n"),
    (
        "^self.conv1 = nn.Conv2d(1, 8, 3)\nself.act = nn.ReLU()\nself.fc = nn.Linear(5408, 9)\n",
        "self.conv1",
        "^conv 8x3x3 -> relu -> dense 9\n",
    ),
    ("^Conv2D(8, 3, activation='relu')\nDense(9)\n", "Conv2D", "^conv 8x3x3 -> relu -> dense 9\n"),
    ("^nn.Conv2d(1, 8, 3),\nnn.ReLU(),\nnn.Linear(5408, 9),\n", "nn.Conv2d", "^conv 8x3x3 -> relu -> dense 9\n"),
    # calls
    ("^Conv2D(8, (3, 3), activation='relu')$", "Conv2D(8, (3, 3), activation='relu')", "^conv 8x3x3 -> relu$"),
    ("^nn.Conv2d(1, 8, 3, padding=1)$", "nn.Conv2d(1, 8, 3, padding=1)", "^conv 8x3x3 pad 1$"),
    ("^nn.Linear(784, 9) -> relu$", "nn.Linear(784, 9)", "^dense 9 -> relu$"),
    ("^conv 8x3x3 -> nn.AdaptiveAvgPool2d(1)$", "nn.AdaptiveAvgPool2d(1)", "^conv 8x3x3 -> gap$"),
    ("^conv 8x3x3 -> leaky_relu(0.2)$", "leaky_relu(0.2)", "^conv 8x3x3 -> leaky slope 0.2$"),
    ("^block res(c) = conv {c}x3x3 -> relu\nres 32$", "32", "^block res(c) = conv {c}x3x3 -> relu\nres(32)$"),
    (
        "^block res(c, s = 1) = conv {c}x3x3 stride {s}\nres 32 s 2$",
        "32",
        "^block res(c, s = 1) = conv {c}x3x3 stride {s}\nres(32, s = 2)$",
    ),
    ("^Conv2d(8, kernel_size=3)$", "Conv2d(8, kernel_size=3)", "^conv 8x3x3$"),
    ("^nn.Conv2d(1, 8, kernel_size=3)$", "nn.Conv2d(1, 8, kernel_size=3)", "^conv 8x3x3$"),
    ("^Dense(10, activation=tf.nn.relu)$", "Dense(10, activation=tf.nn.relu)", "^dense 10 -> relu$"),
    ("^conv 8x3x3 -> Activation('relu')$", "Activation('relu')", "^conv 8x3x3 -> relu$"),
    ("^conv 8x3x3 -> flatten(1)$", "flatten(1)", "^conv 8x3x3 -> flatten$"),
    ("^SeparableConv2D(8, 3, activation='relu')$", "Sep", "^dwconv 3x3 -> conv 8x1x1 -> relu$"),
    ("^conv 8x3x3 -> DepthwiseConv2D(3)$", "DepthwiseConv2D(3)", "^conv 8x3x3 -> dwconv 3x3$"),
    ("^conv 8x3x3 -> AveragePooling2D()$", "AveragePooling2D()", "^conv 8x3x3 -> avgpool 2$"),
    ("^conv 8x3x3 -> nn.GroupNorm(4, 8)$", "nn.GroupNorm(4, 8)", "^conv 8x3x3 -> groupnorm 4$"),
    ("^upsample scale_factor=2 mode='nearest' -> relu$", "scale_factor", "^upsample 2 -> relu$"),
    ("^conv 8x3x3 -> dropout keep_prob 0.8$", "keep_prob", "^conv 8x3x3 -> dropout 0.2$"),
    ("^conv 8x(3,3) -> relu$", "8x(3,3)", "^conv 8x3x3 -> relu$"),
    ("^conv 8@3x3 -> relu$", "8@3x3", "^conv 8x3x3 -> relu$"),
    (
        "^conv 8x3x3 pad same as skip -> conv 8x3x3 pad same -> add skip$",
        "add skip",
        "^conv 8x3x3 pad same as skip -> conv 8x3x3 pad same -> add(id | @skip)$",
    ),
    ("^conv 8x3x3 kernel_size=3 -> relu$", "kernel_size", "^conv 8x3x3 -> relu$"),
    ("^conv 3x3 filters 8 -> relu$", "filters", "^conv 8x3x3 -> relu$"),
    ("^conv[8,3,3] -> relu$", "[8,3,3]", "^conv 8x3x3 -> relu$"),
    ("^nn.Sequential(nn.Conv2d(1,8,3), nn.ReLU())$", "nn.Sequential", "^conv 8x3x3 -> relu$"),
    ("^model = Sequential([Conv2D(8, 3), Activation('relu')])$", "Sequential", "^conv 8x3x3 -> relu$"),
    ("^Sequential([relu, relu])$", "Sequential", "^relu -> relu$"),
    ("let w 8\n^conv {w}x3x3$", "8", "let w = 8\n^conv {w}x3x3$"),
    ("let w := 8\n^conv {w}x3x3$", ":=", "let w = 8\n^conv {w}x3x3$"),
    ("^conv 8x3x3 -> F.relu(x)$", "F.relu(x)", "^conv 8x3x3 -> relu$"),
    ("^conv 8x3x3 -> F.max_pool2d(x, 2)$", "F.max_pool2d(x, 2)", "^conv 8x3x3 -> maxpool 2$"),
    ("^conv 8x3x3 -> nn.ReLU(True)$", "nn.ReLU(True)", "^conv 8x3x3 -> relu$"),
    ("^conv 8x3x3 -> nn.LeakyReLU(0.2, True)$", "nn.LeakyReLU(0.2, True)", "^conv 8x3x3 -> leaky slope 0.2$"),
    ("^conv 8x3x3 -> x.view(-1, 5408)$", "x.view(-1, 5408)", "^conv 8x3x3 -> flatten$"),
    ("^F.interpolate(x, scale_factor=2)$", "F.interpolate(x, scale_factor=2)", "^upsample 2$"),
    ("^conv 8x3x3 -> nn.GELU(approximate='tanh')$", "nn.GELU", "^conv 8x3x3 -> gelu form tanh$"),
    ("^Dense(9, kernel_initializer='he_normal')$", "Dense", "^dense 9 init kaiming_normal$"),
    (
        "^conv 8x3x3 bias off -> BatchNormalization(momentum=0.99)$",
        "BatchNormalization",
        "^conv 8x3x3 bias off -> bn momentum 0.01$",
    ),
    # numbers as others write them
    ("^dropout 25 %$", "25 %", "^dropout 25%$"),
    ("^dropout 0,5$", "0,5", "^dropout 0.5$"),
    ("^conv 8x3x3$train { optimiser adam lr 0,001 }\n", "0,001", "^conv 8x3x3$train { optimiser adam lr 0.001 }\n"),
    ("^conv 8x3x3$train { optimiser adam lr 1e-3f }\n", "1e-3f", "^conv 8x3x3$train { optimiser adam lr 1e-3 }\n"),
    (
        "^conv 8x3x3$train { optimiser adam lr 1/1000 }\n",
        "1/1000",
        "^conv 8x3x3$train { optimiser adam lr {1/1000} }\n",
    ),
    ("^conv 8x3x3$expect { params <= 100,000 }\n", "100,000", "^conv 8x3x3$expect { params <= 100000 }\n"),
    ("^conv 8x3x3$expect { params <= 100 000 }\n", "100 000", "^conv 8x3x3$expect { params <= 100000 }\n"),
    ("^conv 8x3x3$expect { params <= 100_000 }\n", "100_000", "^conv 8x3x3$expect { params <= 100000 }\n"),
    ("^conv 8x3x3$expect { memory <= 100 mb }\n", "100 mb", "^conv 8x3x3$expect { memory <= 100MB }\n"),
    ("^conv 8x3x3$expect { accuracy >= 98 percent }\n", "98 percent", "^conv 8x3x3$expect { accuracy >= 98% }\n"),
    (
        "^relu$data { source mnist ; augment rotate 10° }\n",
        "10°",
        "^relu$data { source mnist ; augment rotate 10 }\n",
    ),
    ("^conv 8x3x3$expect { accuracy = 98% }\n", "=", "^conv 8x3x3$expect { accuracy >= 98% }\n"),
    ("^conv 8x3x3$expect { params 100k }\n", "100k", "^conv 8x3x3$expect { params <= 100k }\n"),
    ("^conv 8x3x3$expect { params ≤ 100k }\n", "≤", "^conv 8x3x3$expect { params <= 100k }\n"),
    ("^conv ８ｘ３ｘ３ -> relu$", "８ｘ３ｘ３", "^conv 8x3x3 -> relu$"),
    ("^conv 8x3x3 -> droрout 50%$", "droрout", "^conv 8x3x3 -> dropout 50%$"),
    ("^conv\u200b 8x3x3$", "\u200b", "^conv 8x3x3$"),
    ("^conv 8x3x3 ↦ relu$", "↦", "^conv 8x3x3 -> relu$"),
    ("^conv 8x3x3 %>% relu$", "%>%", "^conv 8x3x3 -> relu$"),
    ("^conv 8x3x3 | relu$", "|", "^conv 8x3x3 -> relu$"),
    ("^conv 8x3x3 then relu$", "then", "^conv 8x3x3 -> relu$"),
    # definitions of other languages
    ("^function b(c) = conv {c}x3x3\nb(8)$", "function", "^block b(c) = conv {c}x3x3\nb(8)$"),
    ("^var w = 8\nconv {w}x3x3$", "var", "^let w = 8\nconv {w}x3x3$"),
    ("^block b(c) = conv {c}x3x3\ncall b(8)$", "call", "^block b(c) = conv {c}x3x3\nb(8)$"),
    ("^block b(c) = conv {c}x3x3\nblock b(8)$", "block", "^block b(c) = conv {c}x3x3\nb(8)$"),
    ("^block b(c) = conv {c}x3x3\nb[8]$", "[8]", "^block b(c) = conv {c}x3x3\nb(8)$"),
    ("^block b c = conv {c}x3x3\nb(8)$", "c", "^block b(c) = conv {c}x3x3\nb(8)$"),
    ("^block b(c) -> conv {c}x3x3\nb(8)$", "->", "^block b(c) = conv {c}x3x3\nb(8)$"),
    ("^block b(c) conv {c}x3x3\nb(8)$", "conv", "^block b(c) = conv {c}x3x3\nb(8)$"),
    ("^block b(int c) = conv {c}x3x3\nb(8)$", "c", "^block b(c) = conv {c}x3x3\nb(8)$"),
    ("^block b(c: int) = conv {c}x3x3\nb(8)$", ":", "^block b(c) = conv {c}x3x3\nb(8)$"),
    ("^block b(c: 8) = conv {c}x3x3\nb()$", ":", "^block b(c = 8) = conv {c}x3x3\nb()$"),
    ("^net a(c) = conv {c}x3x3\na(8)$", "(c)", "^block a(c) = conv {c}x3x3\na(8)$"),
    ("^net a -> conv 8x3x3$", "->", "^net a = conv 8x3x3$"),
    ("^conv 8x3x3 = a -> relu$", "=", "^conv 8x3x3 as a -> relu$"),
    ("^conv 8x3x3 -> add[relu | id]$", "[", "^conv 8x3x3 -> add(relu | id)$"),
    ("^conv 8x3x3 -> add(relu || id)$", "|", "^conv 8x3x3 -> add(relu | id)$"),
    ("^conv 8x3x3 -> add(relu |)$", ")", "^conv 8x3x3 -> add(relu | id)$"),
    ("input 1 28 28\nconv 8x3x3$", "1 28 28", "input 1x28x28\nconv 8x3x3$"),
    ("^conv8x3x3$", "conv8x3x3", "^conv 8x3x3$"),
    ("^conv 8x3x3 s 2$", "s", "^conv 8x3x3 stride 2$"),
    ("^conv 8x3x3 no bias$", "no", "^conv 8x3x3 bias off$"),
    ("^conv 8x3x3 -> torch.nn.functional.relu$", "torch", "^conv 8x3x3 -> relu$"),
    # blocks of settings
    ("^relu$tarin { epochs 3 }\n", "tarin", "^relu$train { epochs 3 }\n"),
    ("^relu$tarin { epochs 3 ; batch 8 }\n", "tarin", "^relu$train { epochs 3 ; batch 8 }\n"),
    ("^relu$training { epochs 3 }\n", "training", "^relu$train { epochs 3 }\n"),
    (
        "^relu$data { source mnist } train { epochs 3 }\n",
        "train",
        "^relu$data { source mnist }\ntrain { epochs 3 }\n",
    ),
    ("^relu$train { adam lr 0.001 }\n", "adam", "^relu$train { optimiser adam lr 0.001 }\n"),
    ("^relu$train { sgd }\n", "sgd", "^relu$train { optimiser sgd }\n"),
    ("^relu$data { mnist }\n", "mnist", "^relu$data { source mnist }\n"),
    ("^relu$train { optimiser adam 0.001 }\n", "0.001", "^relu$train { optimiser adam lr 0.001 }\n"),
    (
        "^relu$data { source mnist ; augment flip ; rotate 10 }\n",
        "rotate",
        "^relu$data { source mnist ; augment flip ; augment rotate 10 }\n",
    ),
    (
        '^relu$data { source ImageFolder("photos") }\n',
        "ImageFolder",
        '^relu$data { source images "photos" }\n',
    ),
    (
        "^relu$data { source MNIST(root='./data', train=True, download=True) }\n",
        "MNIST",
        "^relu$data { source mnist }\n",
    ),
    (
        '^relu$data { source mnist ; augment RandomFlip("horizontal") }\n',
        "RandomFlip",
        "^relu$data { source mnist ; augment flip direction horizontal }\n",
    ),
    (
        "^relu$data { source mnist ; augment ColorJitter(brightness=0.2) }\n",
        "ColorJitter",
        "^relu$data { source mnist ; augment brightness 0.2 }\n",
    ),
    # braces, signs
    ("^conv 8x3x3 -> relu {$", "{", "^conv 8x3x3 -> relu $"),
    ("^block b(c) {\n  conv {c}x3x3 -> relu\n}\nb(8)$", "{", "^block b(c) = conv {c}x3x3 -> relu\nb(8)$"),
    ("^block b(c):\n  conv {c}x3x3 -> relu\nb(8)$", ":", "^block b(c) = conv {c}x3x3 -> relu\nb(8)$"),
    ("^net a = { conv 8x3x3$}\n", "{", "^net a = conv 8x3x3 -> dense 10 -> softmax\n"),
    ("^model = conv 8x3x3$", "model =", "^net model = conv 8x3x3$"),
    ("^net model == conv 8x3x3$", "==", "^net model = conv 8x3x3$"),
    ("^conv 8x3x3 as a -> relu as b\nadd(@a, @b)$", ",", "^conv 8x3x3 as a -> relu as b\nadd(@a | @b)$"),
    ("^conv 8x3x3$train {\n", "{", "^conv 8x3x3$train { }\n"),
    ("^conv 8x3x3$train { epochs 3\n", "{", "^conv 8x3x3$train { epochs 3 }\n"),
    # training and data
    ("^conv 8x3x3$train(epochs=5, batch_size=32)\n", "train", "^conv 8x3x3$train { epochs 5 ; batch_size 32 }\n"),
    ("^conv 8x3x3$expect { val_accuracy >= 90% }\n", "val_accuracy", "^conv 8x3x3$expect { accuracy >= 90% }\n"),
    ('^relu$data { source "./train" }\n', '"./train"', '^relu$data { source images "./train" }\n'),
    ('^relu$data { source "a.csv" }\n', '"a.csv"', '^relu$data { source csv "a.csv" }\n'),
    (
        "^conv 8x3x3$train { optimizer Adam(lr=1e-3, betas=(0.9, 0.99)) }\n",
        "Adam",
        "^conv 8x3x3$train { optimizer adam lr 0.001 beta1 0.9 beta2 0.99 }\n",
    ),
    (
        "^conv 8x3x3$train { optimizer optim.SGD(model.parameters(), lr=0.1, momentum=0.9) }\n",
        "optim.SGD",
        "^conv 8x3x3$train { optimizer sgd lr 0.1 momentum 0.9 }\n",
    ),
    (
        "^conv 8x3x3$train { loss nn.CrossEntropyLoss() }\n",
        "nn.CrossEntropyLoss()",
        "^conv 8x3x3$train { loss cross_entropy }\n",
    ),
    (
        "^conv 8x3x3$train { scheduler StepLR(step_size=10, gamma=0.1) }\n",
        "StepLR",
        "^conv 8x3x3$train { scheduler step every 10 gamma 0.1 }\n",
    ),
    (
        "^conv 8x3x3$train { scheduler MultiStepLR(optimizer, milestones=[30, 60]) }\n",
        "MultiStepLR",
        "^conv 8x3x3$train { scheduler multistep at 30, 60 }\n",
    ),
    (
        "^conv 8x3x3$train { scheduler CosineAnnealingLR(optimizer, T_max=10) }\n",
        "CosineAnnealingLR",
        "^conv 8x3x3$train { scheduler cosine }\n",
    ),
    (
        "^relu$data { source mnist ; augment RandomCrop(28, padding=4) }\n",
        "RandomCrop",
        "^relu$data { source mnist ; augment crop 4 }\n",
    ),
    (
        "^relu$data { source mnist ; augment RandomRotation(10) }\n",
        "RandomRotation",
        "^relu$data { source mnist ; augment rotate 10 }\n",
    ),
    ("^conv 8x3x3$train { lr 0.001 }\n", "lr", "^conv 8x3x3$train { optimiser adam lr 0.001 }\n"),
    ("^conv 8x3x3$train { optimizer sgd ; lr 0.1 }\n", "lr", "^conv 8x3x3$train { optimizer sgd lr 0.1 ;  }\n"),
    (
        "^conv 8x3x3$train { optimizer Adam(lr=0.001) }\n",
        "Adam(lr=0.001)",
        "^conv 8x3x3$train { optimizer adam lr 0.001 }\n",
    ),
    ("^conv 8x3x3$train { optimizer 'adam' }\n", "'adam'", "^conv 8x3x3$train { optimizer adam }\n"),
    ('^conv 8x3x3$train { optimizer "adam" }\n', '"adam"', "^conv 8x3x3$train { optimizer adam }\n"),
    (
        "^conv 8x3x3$train { optimiser adam betas (0.9, 0.99) }\n",
        "betas (0.9, 0.99)",
        "^conv 8x3x3$train { optimiser adam beta1 0.9 beta2 0.99 }\n",
    ),
    ("^conv 8x3x3$train { optimiser adam, lr 0.001 }\n", ",", "^conv 8x3x3$train { optimiser adam lr 0.001 }\n"),
    ("^conv 8x3x3$train epochs 10\n", "train", "^conv 8x3x3$train { epochs 10 }\n"),
    (
        "^conv 8x3x3$train { loss sparse_categorical_crossentropy }\n",
        "sparse_categorical_crossentropy",
        "^conv 8x3x3$train { loss cross_entropy }\n",
    ),
    ("^conv 8x3x3$train { schedule StepLR }\n", "StepLR", "^conv 8x3x3$train { schedule step }\n"),
    ("^conv 8x3x3$data mnist\n", "data", "^conv 8x3x3$data { source mnist }\n"),
    ('^conv 8x3x3$data { source "mnist" }\n', '"mnist"', "^conv 8x3x3$data { source mnist }\n"),
    (
        "^conv 8x3x3$data { source mnist ; augment RandomHorizontalFlip }\n",
        "RandomHorizontalFlip",
        "^conv 8x3x3$data { source mnist ; augment flip }\n",
    ),
    ("^relu$data { source images photos/all }\n", "photos/all", '^relu$data { source images "photos/all" }\n'),
)

TOLD: tuple[tuple[str, str, str], ...] = (  # and a piece of the help, or of the label
    ("^for i in range(3): conv 8x3x3$", "for", "(conv 8x3x3 pad same -> relu)*3"),
    ("^def block(c): conv 8x3x3\n", "def", "block name(c) = ..."),
    ("^conv 8x3x3 as a -> relu + a$", "+", "add(... | @name)"),
    ("^Sequential([relu, frob])\n", "Sequential", "`->` between them"),
    ("^model.add(relu)\n", "model.add", "`->` between them"),
    ("^frobnicate(3)$", "frobnicate", "block frobnicate(c) = ..."),
    ("^conv 8x3x3$train { metrics accuracy }\n", "metrics", "expect { accuracy >= 98% }"),
    ("^conv 8x3x3$train { device cuda }\n", "device", "--engine jax"),
    ("^conv 8x3x3$train { shuffle on }\n", "shuffle", "data { ... }"),
    ("^conv 8x3x3$train { optimiser sgd ; momentum 0.9 ; beta1 0.9 }\n", "momentum", "optimiser sgd momentum 0.9"),
    ("^conv 8x3x3$train { warmup 3 }\n", "warmup", "schedule constant warmup 3"),
    ("^conv 8x3x3$data { source digits ; resize 28x28 }\n", "resize", "source `images`"),
    ("^conv 8x3x3$data { source digits ; split 0.8 }\n", "split", "validation 20%"),
    ("^conv 8x3x3 kernel_regularizer l2$", "kernel_regularizer", "weight_decay"),
    ("self.conv1 = nn.Frob(3, 6, 5)\n^relu$", "self.conv1", "layers follow one another"),
    ("^| Layer | Output |\n|---|---|\n| frob | 9 |\n", "| Layer", "`->` between them"),
    ("train { label_smoothing 0.1 }\n^relu$", "label_smoothing", "`cost cross_entropy smoothing 0.1`"),
    ("^relu$compile(optimizer='adam')\n", "compile", "train { ... }"),
    ("^relu$fit(x, y)\n", "fit", "train { ... }"),
    ("^conv 8x3x3 -> flatten -> conv 9x3x3$", "conv 9x3x3", "put it before `flatten`"),
    ("^conv 8x3x3 -> skip$", "skip", "add(id | @a)"),
    ("^conv 8x3x3 -> dense ten$", "ten", "a size comes first"),
    ("^conv 8x3x3 -> lstm 32$", "lstm", "recurrent"),
    ("^conv 8x3x3 -> LSTM(32)$", "LSTM", "recurrent"),
    ("^Embedding(1000, 8)$", "Embedding", "attention over tokens"),
    ("^conv3d 8x3x3$", "conv3d", "volumes"),
    ("^conv 8x3x3 -> nn.Identity()$", "nn.Identity", "leave it out"),
    ("^conv 8x3x3 -> concat$", "concat", "concat(conv 8x3x3 pad same | id)"),
    ("^nn.Upsample(scale_factor=2, mode='bilinear')$", "nn.Upsample", "resize HxW mode bilinear"),
    ("^nn.AdaptiveAvgPool2d((7, 7))$", "nn.AdaptiveAvgPool2d", "avgpool K"),
    ("^upsample scale_factor=2 mode=bilinear$", "scale_factor", "upsample F"),
    ("^conv 8x3x3 p 0.5$", "p", "its settings are stride"),
    ("^conv 8x3x3 -> argmax$", "argmax", "cnnspec predict"),
    ('^conv 8x3x3$data { path "photos" }\n', "path", 'source images "photos"'),
    ("^model = Sequential(frob)\n", "Sequential", "`->` between them"),
    ("^import torch\n", "torch", '"blocks.cnn"'),
    ("^conv 8x3x3 -> add relu | id$", "add", "add(conv 8x3x3 pad same | id)"),
    ("^block b(c) = conv {c}x3x3\nb()$", "b()", "b(c)"),
    ("^block = conv 8x3x3$", "=", "block name(c) = ..."),
    ("^conv 8x3x3 -> add(id)$", "add(id)", "add(id | ...)"),
    ("^conv 8x3x3$train { metrics=['accuracy'] }\n", "metrics", "expect { accuracy >= 98% }"),
    ("^conv 8x3x3$train { callbacks [EarlyStopping(patience=5)] }\n", "callbacks", "patience 5"),
    ("^conv 8x3x3$train { amp on }\n", "amp", "precision float16"),
    ("^conv 8x3x3$train { mixup 0.2 }\n", "mixup", "augment mixup 0.2"),
    ("^conv 8x3x3$train { iterations 100 }\n", "iterations", "epochs"),
    ("^conv 8x3x3 -> output$", "output", "net out = ..."),
)


def source(row: str) -> Source:
    """The file of a row."""
    return Source("a.cnn", row.replace("^", HEAD).replace("$", END))


@pytest.mark.parametrize(("row", "marked", "right"), FIXED, ids=[row for row, *_ in FIXED])
def test_is_told_where_and_how_to_mend_it(row: str, marked: str, right: str) -> None:
    wrong = source(row)
    errors = [found for found in read(wrong).diagnostics if found.severity == "error"]
    first, *others = errors
    assert first.span is not None
    assert wrong.text[first.span.start :].startswith(marked)
    assert first.message
    assert first.help
    assert edited(wrong.text, first.fix) == source(right).text
    after = read(source(right), fixes=False)
    assert not after.errors
    assert not others, [found.message for found in others]


@pytest.mark.parametrize(("row", "marked", "told"), TOLD, ids=[row for row, *_ in TOLD])
def test_is_told_where_and_what_helps(row: str, marked: str, told: str) -> None:
    wrong = source(row)
    found = next(found for found in read(wrong).diagnostics if found.severity == "error")
    assert found.span is not None
    assert wrong.text[found.span.start :].startswith(marked)
    assert told in found.help + found.label
    if found.fix:
        after = read(Source("a.cnn", edited(wrong.text, found.fix)), fixes=False)
        assert len(after.errors) < len(read(wrong).errors)


WHOLE = {  # lines as other systems have them, and as ours
    "Conv2D(8, (3, 3), padding='same') -> ReLU() -> Conv2D(9, (3, 3)) -> MaxPooling2D((2, 2)) -> Dense(5)":
        "conv 8x3x3 pad same -> relu -> conv 9x3x3 -> maxpool 2x2 -> dense 5",
    "Conv2D(8, 3, activation='relu') -> MaxPooling2D() -> Dropout(0.25) -> Dense(9, activation='relu')":
        "conv 8x3x3 -> relu -> maxpool 2 -> dropout 0.25 -> dense 9 -> relu",
    "nn.Conv2d(1, 8, 3, padding=1) -> nn.BatchNorm2d(8) -> nn.ReLU() -> nn.MaxPool2d(2) -> nn.Linear(9, 5)":
        "conv 8x3x3 pad 1 -> bn -> relu -> maxpool 2 -> dense 5",
}  # fmt: skip


@pytest.mark.parametrize(("line", "right"), WHOLE.items())
def test_a_line_of_another_system_is_told_of_to_its_end(line: str, right: str) -> None:
    wrong = source(f"^{line}$")
    errors = [found for found in read(wrong).diagnostics if found.severity == "error"]
    assert all(found.fix for found in errors)
    assert edited(wrong.text, [edit for found in errors for edit in found.fix]) == source(f"^{right}$").text


MUTATIONS = (
    "->",
    "=",
    "(",
    ")",
    "{",
    "}",
    "[",
    ":",
    ";",
    ",",
    "|",
    "//",
    "/*",
    "'",
    '"',
    "x",
    "*n",
    " 3",
    "@a",
    "+",
)


@pytest.mark.filterwarnings("error")
def test_no_attempt_ends_in_a_fault_of_ours() -> None:
    """Pieces put into the rows and taken out of them, by a seed for each."""
    for seed, (row, *_) in enumerate((*FIXED, *TOLD)):
        random = Random(seed)
        for _ in range(4):
            text = source(row).text
            for _ in range(random.randint(1, 4)):
                start = random.randint(0, len(text))
                text = text[:start] + random.choice(MUTATIONS) + text[start + random.choice((0, 0, 1, 3)) :]
            for found in read(Source("a.cnn", text)).diagnostics:
                assert found.message


def test_there_are_sixty() -> None:
    assert len(FIXED) + len(TOLD) >= 60
