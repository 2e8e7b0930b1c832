"""The files of `cnnspec new`: a first spec, a .gitignore, and a workflow that checks specs."""

from __future__ import annotations

WORKFLOW = """\
name: specs
on: [push, pull_request]
jobs:
  specs:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with: { python-version: "3.11" }
      - run: pip install cnnspec          # or the wheel that you built
      - run: cnnspec fmt --check .
      - run: cnnspec check --strict --format github .
"""

IGNORED = """\
# what runs write, and data
runs/
sweeps/
data/
*.npz
__pycache__/
.venv/
"""

LENET5 = """\
# after LeCun, Bottou, Bengio and Haffner 1998; it trains at once, on the digits that come with cnnspec
input 1x28x28

conv 6x5x5 pad 2 -> relu -> maxpool 2     # 6x14x14
  -> conv 16x5x5 -> relu -> maxpool 2     # 16x5x5
  -> dense 120 -> relu -> dense 84 -> relu
  -> dense 10 -> softmax  # a probability for each class

data   { source digits ; validation 10% }  # your photos: source images "data/photos"
train  { optimiser adam lr 1e-3 ; batch 32 ; epochs 5 ; seed 1 }
expect { accuracy >= 90% }  # `cnnspec run` fails below it
"""

RESNET = """\
# a small ResNet, after He, Zhang, Ren and Sun 2015, on the digits that come with cnnspec
let w = 8  # filters of the first stage

block basic(c) = add( conv {c}x3x3 pad 1 bias off -> bn -> relu -> conv {c}x3x3 pad 1 bias off -> bn
                    | id ) -> relu
block down(c) = add( conv {c}x3x3 stride 2 pad 1 bias off -> bn -> relu -> conv {c}x3x3 pad 1 bias off -> bn
                   | conv {c}x1x1 stride 2 bias off -> bn ) -> relu

input 1x28x28
conv {w}x3x3 pad 1 bias off -> bn -> relu
  -> basic(w) -> down(2*w) -> basic(2*w)  # 16x14x14
  -> gap -> dense 10 -> softmax

data  { source digits ; validation 10% ; augment shift 2 }
train { optimiser sgd lr 0.1 momentum 0.9 weight_decay 1e-4 ; schedule cosine ; batch 32 ; epochs 8 ; seed 1 }
"""

UNET = """\
# a small U-Net, after Ronneberger, Fischer and Brox 2015: a class for each pixel
let w = 8  # filters at full size
let classes = 2

block two(c) = (conv {c}x3x3 pad 1 -> relu)*2

input 1x64x64
two(w) as full -> maxpool 2
  -> two(2*w) as half -> maxpool 2
  -> two(4*w)  # 32x16x16
  -> concat( @half | upconv {2*w}x2x2 stride 2 ) -> two(2*w)
  -> concat( @full | upconv {w}x2x2 stride 2 ) -> two(w)
  -> conv {classes}x1x1 -> softmax        # a probability for each class, at each pixel

data  { source npz "data/cells.npz" ; validation 10% }  # x: n x 1 x 64 x 64, y: n x 64 x 64, whole numbers
train { optimiser adam lr 1e-3 ; batch 8 ; epochs 20 ; seed 1 }
"""

TABULAR = """\
# classes from the columns of a table; the last column says which
input 4

dense 16 -> relu -> dropout 10%
  -> dense 8 -> relu
  -> dense 3 -> softmax

data  { source csv "data/table.csv" label 5 header on test 20% ; normalise on ; validation 10% }
train { optimiser adam lr 0.01 ; batch 16 ; epochs 40 ; seed 1 }
"""

SEQUENCE = """\
# three axes of an accelerometer over 128 moments; sizes have one number less than on images
input 3x128

conv 16x9 pad same -> relu -> maxpool 2   # 16x64
  -> conv 32x5 pad same -> relu -> gap    # 32
  -> dense 6 -> softmax

data  { source npz "data/movements.npz" axes ncw ; normalise on ; validation 10% }
train { optimiser adam lr 1e-3 ; batch 32 ; epochs 30 ; seed 1 }
"""

STARTERS = {"lenet5": LENET5, "resnet": RESNET, "unet": UNET, "tabular": TABULAR, "sequence": SEQUENCE}
