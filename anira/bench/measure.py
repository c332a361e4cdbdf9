"""Time and memory of calls that do the same work in different ways.

Calls are interleaved: a repetition runs each of them once, in an order drawn afresh, so that whatever else the
machine does falls on all alike. Only ratios within one run are worth reporting, and they are formed repetition
by repetition.
"""

import ctypes
import sys
import time
import weakref
from collections.abc import Callable, Collection, Mapping

import numpy as np
import pandas as pd
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


def keep_memory() -> None:
    """Have this process keep the memory it frees, where its C library is glibc; elsewhere nothing happens.

    By default glibc returns large blocks to the system, and each page costs a fault when it is needed again: time that
    is no contender's own, in some passes and not in others.
    """
    if sys.platform == "linux" and hasattr(ctypes.CDLL(None), "gnu_get_libc_version"):
        for parameter, value in ((-4, 0), (-1, 2**31 - 1)):  # M_MMAP_MAX, M_TRIM_THRESHOLD of malloc.h
            ctypes.CDLL(None).mallopt(parameter, value)


def interleave(calls: Mapping[str, Callable[[], object]], repetitions: int, device: torch.device, once: Collection[str] = ()) -> pd.DataFrame:
    """Run each call once to warm up, then `repetitions` times in turn; those named in `once` a single time, cold.

    Where that takes less than a second it goes on, to three times as many at most.

    Returns a row for each contender and repetition: seconds by the clock, cpu_seconds of this process over all of
    its threads. On a GPU a call ends when the device has finished.

    >>> frame = interleave({"sum": lambda: torch.ones(10).sum()}, 2, torch.device("cpu"))
    >>> list(frame.columns), len(frame)
    (['contender', 'repetition', 'seconds', 'cpu_seconds'], 6)
    """
    rng, rows = np.random.default_rng(0), []
    for name in set(calls) - set(once):
        calls[name]()
    _finish(device)
    started = time.perf_counter()
    for repetition in range(3 * repetitions):
        if repetition >= repetitions and time.perf_counter() - started > 1:
            break
        for name in rng.permutation([name for name in calls if name not in once or not repetition]):
            clock, cpu = time.perf_counter(), time.process_time()
            calls[name]()
            _finish(device)
            rows.append((str(name), repetition, time.perf_counter() - clock, time.process_time() - cpu))
    return pd.DataFrame(rows, columns=["contender", "repetition", "seconds", "cpu_seconds"])


def _finish(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


class PeakMemory(TorchDispatchMode):
    """Counts bytes of the tensors that are alive, and remembers the most there were at once: `peak`.

    Counted is what operators return while the mode is on, saved activations and gradients included, on any device;
    what existed before, and scratch space inside an operator, is not.

    >>> with PeakMemory() as memory:
    ...     total = torch.ones(1000).sum()
    >>> memory.peak
    4004
    """

    def __init__(self):
        super().__init__()
        self.peak = self._now = 0
        self._alive: set[int] = set()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        known = {x.untyped_storage()._cdata for x in tree_leaves((args, kwargs)) if isinstance(x, torch.Tensor)}
        for tensor in tree_leaves(result):
            if isinstance(tensor, torch.Tensor):
                self._take_in(tensor.untyped_storage(), known)
        return result

    def _take_in(self, storage: torch.UntypedStorage, known: set[int]) -> None:
        key, size = storage._cdata, storage.nbytes()
        if key in self._alive or key in known:
            return
        self._alive.add(key)
        self._now += size
        self.peak = max(self.peak, self._now)
        weakref.finalize(storage, self._let_go, key, size)

    def _let_go(self, key: int, size: int) -> None:
        self._alive.discard(key)
        self._now -= size


def peak_bytes(call: Callable[[], object]) -> int:
    """The most bytes of tensors that a call keeps alive at once, those that existed before not counted."""
    with PeakMemory() as memory:
        call()
    return memory.peak
