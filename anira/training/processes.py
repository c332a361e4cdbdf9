"""Several processes that train one model, as torchrun starts them: who computes what, and how it is added up.

A step's batch is cut into buckets, which are dealt to the processes; each adds up the gradients of its own, and a process
without any adds zeros. So any number of processes gives the curve of one, up to rounding.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
import torch.distributed as dist
from torch import Tensor, nn


@contextmanager
def joined(device: str) -> Iterator[str]:
    """Join the processes that torchrun has started, if it has; yields the device of this one.

    Raises:
        ValueError: there are more processes on this machine than GPUs.
    """
    device = local_device(device)
    if not dist.is_torchelastic_launched():
        yield device
        return
    dist.init_process_group("nccl" if device.startswith("cuda") else "gloo")
    try:
        yield device
    finally:
        dist.destroy_process_group()


def local_device(device: str) -> str:
    """The device that this process takes: of several GPUs the one with its LOCAL_RANK. `ValueError` if there are too few."""
    if not (device.startswith("cuda") and dist.is_torchelastic_launched()):
        return device
    gpus, processes, number = torch.cuda.device_count(), int(os.environ["LOCAL_WORLD_SIZE"]), int(os.environ["LOCAL_RANK"])
    if processes > gpus:
        raise ValueError(f"{processes} processes were started and there are {gpus} GPUs. Take --nproc-per-node {gpus} at most, or --device cpu.")
    torch.cuda.set_device(number)
    return f"cuda:{number}"


def rank() -> int:
    """This process's number among those that train together."""
    return dist.get_rank() if dist.is_initialized() else 0


def parts(buckets: int, device: torch.device) -> int:
    """Into how many buckets a batch is cut: as its recipe says, but not at all on a GPU by itself, where padding costs less than more passes."""
    return 1 if device.type == "cuda" and not dist.is_initialized() else buckets


def share(bucket: int) -> int:
    """The process that computes a bucket. Dealt back and forth, since later buckets are longer."""
    world = dist.get_world_size() if dist.is_initialized() else 1
    turn, place = divmod(bucket, world)
    return place if turn % 2 == 0 else world - 1 - place


def add_up(parameters: Iterable[nn.Parameter], sums: Tensor) -> None:
    """Add up over processes, in place, the gradients of `parameters`, zero where there is none, and `sums`.

    Not `DistributedDataParallel`: it averages where shares of one loss must be summed, counts on each parameter having a
    gradient in each pass, and hides communication behind backward passes that are many and short here.
    """
    if not dist.is_initialized():
        return
    gradients = []
    for parameter in parameters:
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
        gradients.append(parameter.grad)
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    dist.all_reduce(flat)
    for gradient, summed in zip(gradients, flat.split([gradient.numel() for gradient in gradients]), strict=True):
        gradient.copy_(summed.view_as(gradient))
    dist.all_reduce(sums)


def any_of(flag: bool, device: torch.device) -> bool:
    """Whether the flag is set in any process; all of them get the same answer."""
    if not dist.is_initialized():
        return flag
    flags = torch.tensor(float(flag), device=device)
    dist.all_reduce(flags)
    return bool(flags > 0)
