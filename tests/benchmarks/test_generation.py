"""How fast instances are made, on one core, in seconds of its own time: `pytest -m slow -s tests/benchmarks/test_generation.py`."""

import time

import numpy as np
import pytest

from anira.tasks import Brevo, Depo, Mano
from anira.tasks.graphs import Chains, Dense, Hubs, Layered, Physics, Sparse, Tree
from anira.training.loop import Run
from anira.training.presets import preset

pytestmark = pytest.mark.slow


def seconds(call, repeats=5):
    """Processor time of the fastest of several calls, after one that compiles."""
    call()
    times = []
    for _ in range(repeats):
        begun = time.process_time()
        call()
        times.append(time.process_time() - begun)
    return min(times)


def test_brevo_makes_20_000_instances_a_second_with_their_features():
    task = Brevo(sizes=range(3, 31), node_names=30)
    mixture = 2000 / seconds(lambda: task.batch_with_features(2000, np.random.default_rng(0)))
    largest = 2000 / seconds(lambda: task.batch_with_features(2000, np.random.default_rng(0), size=30))
    print(f"\nBREVO with features: {mixture:,.0f} instances a second of the mixture 3..30, {largest:,.0f} of size 30")
    for other in (Mano(), Depo()):
        print(f"{other.name}: {2000 / seconds(lambda other=other: other.batch_with_features(2000, np.random.default_rng(0))):,.0f}")
    assert mixture > 20_000


@pytest.mark.parametrize("graphs", [Physics(), Chains(3), Tree(), Layered(), Sparse(), Dense(0.3), Hubs()], ids=repr)
def test_a_token_costs_no_more_in_large_graphs_than_growth_in_proportion_allows(graphs):
    cost = {}
    for size in (10, 30, 100, 300):
        task = Brevo(sizes=[size], node_names=300, graphs=graphs)
        count = 20_000 // size
        tokens = int(task.batch(count, np.random.default_rng(0)).lengths.sum())
        cost[size] = seconds(lambda task=task, count=count: task.batch_with_features(count, np.random.default_rng(0))) / tokens
    print(f"\n{graphs}: nanoseconds a token", {size: round(1e9 * value) for size, value in cost.items()})
    for size in (30, 100, 300):
        assert cost[size] < cost[10] * size / 10


@pytest.mark.parametrize("workers", [0, 1])
def test_training_waits_for_data_less_than_2_percent_of_its_time(workers):
    run = Run.start(preset("brevo", "tiny"), "online", seed=0, header={})
    waiting, begun = 0.0, None
    with run.batches(workers) as batches:
        for step in range(60):
            if step == 10:  # everything is compiled and warm
                waiting, begun = 0.0, time.perf_counter()
            before = time.perf_counter()
            batch = next(batches)
            waiting += time.perf_counter() - before
            run.advance(batch)
    share = waiting / (time.perf_counter() - begun)
    print(f"\n{workers} workers: {share:.2%} of the time of training is spent waiting for data")
    assert share < 0.02
