"""A watch over what is computed in double precision: not every device has it, and no model here needs it there."""

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

DOUBLE = (torch.float64, torch.complex128)


class NoDoubles(TorchDispatchMode):
    """Raises as soon as an operator makes or takes a tensor of float64 or complex128.

    devices: the types of device on which that is forbidden; all by default, so that a machine without another than the CPU
    can tell what another would be asked for. What a model computes on the CPU once and for all, the rotary angles, must then
    be there before.
    """

    def __init__(self, devices: tuple[str, ...] | None = None):
        super().__init__()
        self._devices = devices

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        for x in tree_leaves((args, kwargs, result)):
            if isinstance(x, Tensor) and x.dtype in DOUBLE and (self._devices is None or x.device.type in self._devices):
                raise AssertionError(f"{func} computes in {x.dtype} on {x.device}.")
        return result
