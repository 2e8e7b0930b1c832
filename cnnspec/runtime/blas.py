"""BLAS at one thread a worker: two workers of two threads each are several times slower than one."""

from __future__ import annotations

import warnings


def single_thread() -> None:
    """Set the BLAS that NumPy has loaded to one thread, and make sure that it took.

    Setting it in the environment does nothing once NumPy is imported, so it is set in the library itself.
    """
    import numpy as np  # noqa: F401  the library must be loaded to be found
    from threadpoolctl import ThreadpoolController

    blas = ThreadpoolController().select(user_api="blas")
    if all(library.num_threads == 1 for library in blas.lib_controllers):
        return
    blas.limit(limits=1)
    busy = [library for library in blas.lib_controllers if library.get_num_threads() != 1]
    if busy:
        names = ", ".join(str(library.internal_api) for library in busy)
        warnings.warn(f"{names} kept its own threads; steps may be several times slower", stacklevel=2)
