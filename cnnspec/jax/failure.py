"""JAX's errors as diagnostics: a process that is gone, a device without memory."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import jax
from jax.errors import JaxRuntimeError

from ..diagnostics import Diagnostic, SpecError


@contextmanager
def told() -> Iterator[None]:
    """Within it an error of XLA's becomes a diagnostic, where it is one that people cause or can mend."""
    try:
        yield
    except JaxRuntimeError as error:
        first = str(error).splitlines()[0]
        if "RESOURCE_EXHAUSTED" in first:
            raise SpecError((Diagnostic.of("CNN304", case="device", reason=first),)) from error
        if jax.process_count() > 1:
            atexit.register(leave)  # runs before JAX's own, which would wait for those that are gone
            raise SpecError((Diagnostic.of("CNN313", process=jax.process_index(), reason=first),)) from error
        raise


def leave() -> None:
    """End at once, without a farewell to the other processes."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(1)
