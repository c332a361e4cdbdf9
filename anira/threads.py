"""One thread for small models."""

from types import TracebackType

import torch


class one_thread:
    """Use one thread of the CPU, from the call on, or in a `with` block until its end.

    For models as small as those of this library more threads only wait for each other: on a busy machine that is ten
    times slower.

    >>> import torch
    >>> before = torch.get_num_threads()
    >>> with one_thread():
    ...     torch.get_num_threads()
    1
    >>> torch.get_num_threads() == before
    True
    """

    def __init__(self) -> None:
        self.before = torch.get_num_threads()
        torch.set_num_threads(1)

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        torch.set_num_threads(self.before)
