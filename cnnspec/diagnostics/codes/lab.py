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
)
