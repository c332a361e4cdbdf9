"""`compiled`: numba's `njit`, cached on disk, compiled anew when any file of this package has changed.

Compiled code has the code that it calls, and the constants that it names, built in. numba's cache looks at the file of the
function alone, so without this a change in another file would go unnoticed.
"""

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from numba import njit


@cache
def stamp() -> str:
    """A checksum of the source of this package."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


def compiled(function: Callable) -> Callable:
    """The function, compiled at its first call and kept on disk; use as a decorator."""
    dispatcher: Any = njit(cache=True)(function)
    if dispatcher is function:  # NUMBA_DISABLE_JIT
        return function
    index = dispatcher._cache._cache_file  # numba has no public way to say what else the compiled code was made from
    index._source_stamp = (index._source_stamp, stamp())
    return dispatcher
