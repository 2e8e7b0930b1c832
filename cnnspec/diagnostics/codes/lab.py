"""The page of `cnnspec lab`, what `cnnspec site` writes of it, and what `cnnspec docs` writes."""

from .code import Code, Says

LAB = (
    Code(
        "CNN561",
        "no-port",
        """\
`cnnspec lab` serves its page on 127.0.0.1, and this port of it cannot be had: another program (often another lab)
has it, or it is one of those that only an administrator may take. Without `--port` any free one is taken.""",
        how="`cnnspec lab --port 8000` twice, at the same time.",
        says=(
            Says("nothing can be served on {address}: {reason}", help="leave out --port: any free one will do"),
            Says("nothing can be served on {address}: {reason}", case="any"),
        ),
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
        says=(
            Says(
                "{path} cannot be read: {reason}",
                help="the folder is that of the npm package pyodide, or of a release of Pyodide",
            ),
        ),
    ),
    Code(
        "CNN581",
        "dead-link",
        """\
`cnnspec docs` makes a site of the pages of `grammar/`, and one of them links to a page, a heading or a file that is
not there. The pages are as they came along, unless they were changed: then the link, or the heading that it names,
was.""",
        how="A link to `guide.md#no-such-heading` in a page of `grammar/`, then `cnnspec docs -o pages`.",
        says=(Says("`{page}` links to {target}, which is not there"),),
    ),
)
