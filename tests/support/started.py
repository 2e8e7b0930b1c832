"""Commands in processes of their own that need not start: one that has imported what they need forks for each.

A child has the folder, the variables and the streams that it is given, shares no memory with any other, and ends as
a process ends. Only the start of Python and the imports are spared; a command that is asked under another locale or
another hash seed has to be started by `subprocess`, since Python looks at those when it starts.

`python started.py` is the parent: a line of JSON in for each command, a line with its exit code out.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

PATIENCE = 300  # seconds, for a command that should take one or two


class Started:
    """The parent of commands, and a folder for what they say."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.kept = TemporaryDirectory()
        self.parent = subprocess.Popen(
            [sys.executable, __file__], env={**environment, "HOME": self.kept.name},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def run(
        self, arguments: list[str], folder: Path, environment: dict[str, str], stdin: bytes = b""
    ) -> tuple[int, bytes, bytes]:
        """The exit code of `cnnspec` with these arguments, negative after a signal, and what it wrote."""
        streams = [Path(self.kept.name) / name for name in ("stdin", "stdout", "stderr")]
        streams[0].write_bytes(stdin)
        order = [arguments, str(folder), environment, list(map(str, streams))]
        assert self.parent.stdin is not None and self.parent.stdout is not None
        self.parent.stdin.write(json.dumps(order).encode() + b"\n")
        self.parent.stdin.flush()
        code = int(self.parent.stdout.readline())
        return code, streams[1].read_bytes(), streams[2].read_bytes()

    def close(self) -> None:
        self.parent.communicate()
        self.kept.cleanup()


def serve() -> None:
    """Fork a child for each line; a child returns, and is a process that begins."""
    orders, answers = os.fdopen(os.dup(0), "rb"), os.dup(1)
    for order in orders:
        arguments, folder, environment, streams = json.loads(order)
        child = os.fork()
        if child == 0:
            import signal

            signal.alarm(PATIENCE)  # nothing waits for ever
            os.close(orders.fileno())
            os.close(answers)
            for number, path in enumerate(streams):
                file = os.open(path, os.O_RDWR | (os.O_CREAT | os.O_TRUNC if number else 0))
                os.dup2(file, number)
                os.close(file)
            os.chdir(folder)
            os.environ.clear()
            os.environ.update(environment)
            sys.argv = ["cnnspec", *arguments]
            return
        _, status = os.waitpid(child, 0)
        os.write(answers, b"%d\n" % os.waitstatus_to_exitcode(status))
    raise SystemExit


if __name__ == "__main__":
    import gc
    from contextlib import suppress
    from importlib import import_module

    import cnnspec.cli

    for module in (
        "numpy.random", "cnnspec.checking", "cnnspec.experiment.experiment", "cnnspec.lang.parse.tables",
        "matplotlib.figure", "matplotlib.backends.backend_agg", "PIL.Image",
    ):  # fmt: skip
        with suppress(ImportError):
            import_module(module)
    gc.freeze()  # what the parent has is not looked through at the end of each child
    serve()
    cnnspec.cli.main()
