"""The page of `cnnspec lab`, and what `cnnspec site` writes of it."""

from .code import Code

LAB = (
    Code(
        "CNN561",
        "no-port",
        """\
`cnnspec lab` serves its page on 127.0.0.1, and this port of it cannot be had: another program (often another lab)
has it, or it is one of those that only an administrator may take. Without `--port` any free one is taken.""",
        how="`cnnspec lab --port 8000` twice, at the same time.",
    ),
    Code(
        "CNN562",
        "no-pyodide",
        """\
`cnnspec site --pyodide FOLDER` copies Python for the browser from a folder, and a file of it is missing or cannot
be read: `pyodide.js`, `pyodide.asm.wasm`, `python_stdlib.zip`, `pyodide-lock.json`, and `pyodide.asm.mjs` or
`pyodide.asm.js`. `npm install pyodide` unpacks such a folder, `node_modules/pyodide`; a release of Pyodide is one
too.""",
        how="`cnnspec site -o lab --pyodide no-such-folder`.",
    ),
)
