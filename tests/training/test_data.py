"""Batches made ahead are the batches made here, and no worker outlives its run."""

import os
import signal
import subprocess
import sys
import time
import types
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from anira.tasks import Brevo, Depo, Mano, graphs
from anira.tasks.task import Batch
from anira.training.data import Batches

TASKS = [Brevo(sizes=range(3, 31), node_names=30), Brevo(node_names=700, graphs=graphs.Hubs()), Mano(), Depo()]
FIELDS = ("tokens", "answer_mask", "lengths", "sizes")


def same(a: Batch, b: Batch) -> bool:
    return all(torch.equal(getattr(a, name), getattr(b, name)) and getattr(a, name).dtype == getattr(b, name).dtype for name in FIELDS)


@settings(max_examples=12, deadline=None)
@given(task=st.sampled_from(TASKS), seed=st.integers(0, 2**31), start=st.integers(0, 10**6), workers=st.integers(0, 4))
def test_the_data_is_the_same_for_any_number_of_workers_and_any_first_step(task, seed, start, workers):
    with Batches(task, 5, seed, start, workers) as batches:
        for step in range(start, start + 6):
            assert batches.step == step
            assert same(next(batches), task.batch(5, np.random.default_rng([seed, step]), split="train")), step


@dataclass(frozen=True)
class Failing(Brevo):
    """Fails at the third batch of seed 0."""

    def batch(self, n, rng, size=None, *, split="any"):
        if np.random.default_rng([0, 2]).bit_generator.state == rng.bit_generator.state:
            raise ValueError("no third batch")
        return super().batch(n, rng, size, split=split)


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_what_a_task_raises_is_raised_at_the_step_that_asks_for_it(workers):
    with Batches(Failing(), 2, seed=0, workers=workers) as batches:
        next(batches), next(batches)
        with pytest.raises(ValueError, match="no third batch"):
            next(batches)


def test_a_worker_that_was_killed_is_reported_with_its_step():
    with Batches(Brevo(), 2, seed=0, workers=1) as batches:
        next(batches)
        os.kill(batches._processes[0].pid, signal.SIGKILL)
        with pytest.raises(RuntimeError, match="batch of step [0-9]+ has ended"):
            for _ in range(100_000):  # what it had put into the pipe is still good
                next(batches)


def test_a_negative_number_of_workers_is_refused():
    with pytest.raises(ValueError, match="0 or more, received -1"):
        Batches(Brevo(), 2, seed=0, workers=-1)


def test_leaving_the_block_ends_the_workers():
    with Batches(Brevo(), 64, seed=0, workers=2) as batches:
        next(batches)
        processes = batches._processes
    assert not any(process.is_alive() for process in processes)


def alive(pid: int) -> bool:
    """Runs, or waits to run; a process that ended and was not yet collected by its parent has stopped."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
def test_workers_end_when_their_run_is_killed():
    script = """
import time
import types
from anira.tasks import Brevo
from anira.training.data import Batches
runs = [Batches(Brevo(), batch_size, seed=0, workers=2) for batch_size in (1, 2000)]  # with room in the pipe, and blocked on it
for batches in runs:
    next(batches)
print(*(process.pid for batches in runs for process in batches._processes), flush=True)
time.sleep(600)
"""
    run = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    workers = [int(pid) for pid in run.stdout.readline().split()]
    assert len(workers) == 4 and all(map(alive, workers))
    run.kill()
    run.wait()
    deadline = time.monotonic() + 30
    while any(map(alive, workers)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(alive, workers)), "orphans"


def test_a_task_of_a_notebook_that_spawned_workers_cannot_import_is_named(monkeypatch):
    own = dataclass(frozen=True)(type("Mine", (Brevo,), {"__module__": "__main__"}))
    monkeypatch.setitem(sys.modules, "__main__", types.ModuleType("__main__"))  # as in a notebook: without a file
    monkeypatch.setattr("multiprocessing.get_start_method", lambda: "spawn")
    with pytest.raises(ValueError, match="The task Mine is defined in a notebook.*workers=0"):
        Batches(own(), 2, seed=0, workers=2)
    with Batches(own(), 2, seed=0) as batches:
        next(batches)
