"""A network as one Python file that needs JAX and nothing else: `cnnspec compile --emit jax`.

    net = runpy.run_path("net.py")["load"]()     # or `import net; net.load()`
    net(x)                                       # {"softmax1": ...} where there are several outputs, else the array

The file holds StableHLO, XLA's portable form (`jax.export`), for a CPU, a GPU or a TPU and batches of any size; its
first steps prepare images, unless it is raw. Weights lie in an npz file beside it, or in the file itself as text.
"""

from __future__ import annotations

import base64
import inspect
import textwrap
from collections.abc import Mapping

import jax
import jax.export
import jax.numpy as jnp
import numpy as np

from ..data.preparation import BYTES, Preparation
from ..data.sources.by_name import called
from ..ir import Graph
from ..kernels.resample import coverage, resample
from ..quoting import literal, literals, remark
from ..targets.jax.layout import filters_last
from ..targets.python.module import packed
from .forward import forward

PLATFORMS = ("cpu", "cuda", "rocm", "tpu")
LINE = 100

LOADING = '''
class Network:
    """The network in use: arrays of numbers in, outputs out, for any number of images."""

    classes, prepares, inputs, outputs = CLASSES, PREPARES, INPUTS, OUTPUTS

    def __init__(self, weights):
        self.weights = {name: jnp.asarray(values) for name, values in weights.items()}
        self.call = jax.jit(jax.export.deserialize(bytearray(base64.b64decode(PROGRAM))).call)

    def __call__(self, x):
        arrays = x if isinstance(x, dict) else dict.fromkeys(INPUTS, x)
        found = self.call(self.weights, {name: stored(arrays[name], kind) for name, kind in INPUTS.items()})
        return found if len(found) > 1 else found[OUTPUTS[0]]


def typed(x, kind):
    """Numbers of any type as the program takes them; bytes may come as whole numbers, or as floats from 0 to 1."""
    x = np.asarray(x)
    if x.dtype == kind:
        return x
    if kind == "uint8":
        if x.dtype.kind == "f" and x.size and x.min() >= 0 and x.max() <= 1:
            return np.rint(x * 255).astype(np.uint8)
        if x.size and not (x.min() >= 0 and x.max() <= 255 and (x == np.floor(x)).all()):
            raise ValueError("the network was trained on bytes: give those, or floats from 0 to 1")
    elif x.dtype == np.uint8 and BYTES_AS is not None:
        return x * np.float32(BYTES_AS)
    elif x.dtype == np.uint8 and PREPARES:
        raise ValueError("the network was trained on floats, and these are bytes")
    return x.astype(kind)


def load(path=None):
    """The network with the weights of an npz file (default: {default})."""
    with np.load(path or {where}, allow_pickle=False) as file:
        return Network(dict(file))


if __name__ == "__main__":
    for number, row in enumerate(np.asarray(load()(np.load(sys.argv[1], allow_pickle=False)))):
        known = CLASSES and row.size == len(CLASSES)
        print(f"{number}  class {CLASSES[row.argmax()]!a} ({row.max():.4f})" if known else f"{number}  {row}")
'''


def program(graph: Graph, weights: Mapping[str, np.ndarray], preparation: Preparation | None) -> bytes:
    """The network as a function of weights and images, serialised; with a preparation it prepares these itself."""
    names = called(graph.outputs)
    (n,) = jax.export.symbolic_shape("n")
    shapes = {name: jax.ShapeDtypeStruct(values.shape, jnp.float32) for name, values in weights.items()}
    images = {name: jax.ShapeDtypeStruct((n, *graph.type(name).shape), jnp.float32) for name in graph.inputs}
    if preparation is not None:
        images = {
            name: jax.ShapeDtypeStruct((n, *preparation.of(name).stored_shape), type_of(preparation.of(name)))
            for name in graph.inputs
        }

    def run(parameters: Mapping[str, jax.Array], arrays: Mapping[str, jax.Array]) -> dict[str, jax.Array]:
        seen = {name: x if preparation is None else prepared(x, preparation.of(name)) for name, x in arrays.items()}
        with jax.default_matmul_precision("highest"):
            turned = {name: filters_last(values) for name, values in parameters.items()}
            found = forward(graph, turned, seen, dtype=jnp.float32).outputs
        return {names[name]: found[name] for name in graph.outputs}

    return bytes(jax.export.export(jax.jit(run), platforms=PLATFORMS)(shapes, images).serialize())


def resizing(size: tuple[int, ...] | None) -> list[str]:
    """Source of `stored`: numbers as the program takes them, and pictures of any size brought to the network's."""
    if size is None:
        return ["stored = typed"]
    own = '''
def stored(x, kind):
    """Pictures of any height and width as the program takes them."""
    x = typed(x, kind)
    return x if x.shape[2:] == SIZE else np.rint(resample(x, *SIZE)).astype(kind)
'''
    kernels = [inspect.getsource(kernel) for kernel in (resample, coverage)]
    return [f"SIZE = {tuple(size)}", *kernels, own]


def type_of(preparation: Preparation | None) -> str:
    """The type of what is fed."""
    return "uint8" if preparation is not None and preparation.stored == BYTES else "float32"


def prepared(x: jax.Array, preparation: Preparation) -> jax.Array:
    """Images as they are stored, as the network sees them."""
    axes = preparation.stored_axes
    x = x[:, None] if "c" not in axes else x.transpose([axes.index(axis) for axis in preparation.axes_seen])
    x = x.astype(jnp.float32)
    if preparation.fill:
        x = jnp.where(jnp.isnan(x), np.array(preparation.fill, np.float32), x)
    column = (-1, *(1,) * (x.ndim - 2))
    centre, scale, offset = (
        np.array(numbers, np.float32).reshape(column) for numbers in preparation.scaling.steps()
    )
    return (x - centre) * scale + offset


def module_source(
    graph: Graph,
    weights: Mapping[str, np.ndarray],
    *,
    name: str,
    beside: str,
    embed: bool = False,
    preparation: Preparation | None = None,
    raw: bool = False,
) -> str:
    """The file's text. `beside` is the npz file that holds the weights, unless they are embedded."""
    inside = preparation if preparation and not raw else None
    types = {value: type_of(inside.of(value) if inside else None) for value in graph.inputs}
    inputs = ", ".join(f"{literal(value)}: {literal(kind)}" for value, kind in types.items())
    outputs = tuple(called(graph.outputs).values())
    classes = literals(preparation.classes) if preparation and preparation.classes else "None"
    how = "in this file" if embed else f"beside this file, in {remark(beside)}"
    told = f"{remark(name)}, written by cnnspec: needs JAX and nothing else. Its weights are {how}."
    usage = f"    network = load()\n    network(x)    # {remark(', '.join(outputs))}"
    heading = [told, "", usage]
    if preparation:
        said = f"It is fed {preparation.fed()}, and prepares them itself: {preparation.wants()}."
        if raw:
            said = f"It prepares nothing, and is fed {preparation.wants()}."
        heading += ["", *textwrap.wrap(remark(said), LINE)]
    default, where = "those of this file", "io.BytesIO(base64.b64decode(WEIGHTS))"
    if not embed:
        default, where = "the one beside this file", f"Path(__file__).with_name({literal(beside)})"
    parts = [
        '"""' + "\n".join(heading) + '\n"""',
        "import base64\nimport io\nimport sys\nfrom pathlib import Path\n\n"
        "import jax\nimport jax.export\nimport jax.numpy as jnp\nimport numpy as np",
        f"INPUTS = {{{inputs}}}  # their types\nOUTPUTS = {literals(outputs)}\nCLASSES = {classes}\n"
        f"PREPARES = {inside is not None}\nBYTES_AS = {inside.bytes_as if inside else None!r}",
        LOADING.replace("{default}", default).replace("{where}", where).split("\nif __name__")[0],
        *resizing(inside.resize if inside else None),
        text("PROGRAM", program(graph, weights, inside)),
        *([text("WEIGHTS", packed(weights))] if embed else []),
        "if __name__" + LOADING.split("\nif __name__")[1],
    ]
    return "\n\n\n".join(part.strip("\n") for part in parts) + "\n"


def text(name: str, content: bytes) -> str:
    """Bytes as source, in lines."""
    written = base64.b64encode(content).decode()
    lines = "\n".join(written[start : start + LINE] for start in range(0, len(written), LINE))
    return f'{name} = """\n{lines}\n"""'
