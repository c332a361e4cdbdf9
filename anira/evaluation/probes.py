"""Probes: how much of a token's difficulty can be read off its state, before the first iteration and after each.

A decider can go only by what is in the state that it is shown. A *probe* finds out what that is: a network of the
decider's own form, trained to tell the difficulties of an answer token from the state at the position before it, which
predicts the token, and judged on instances that it has not seen. The size of the instance and the token's place in the
answer are given to it, and what they tell by themselves is no merit of the state.
"""

from collections.abc import Collection, Iterator
from functools import partial
from typing import Any, cast

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor

from anira.analysis.intervals import COLUMNS, cluster_bootstrap
from anira.evaluation.reading import ROWS, check_asked, read
from anira.model.anira import Anira
from anira.model.deciders import head, last
from anira.tasks.task import Split, Task

HELD_OUT = 0.2  # share of the instances that a probe is judged by
STEPS, TOKENS, LEARNING_RATE = 1000, 512, 2e-3  # of a probe's training
CHOICE = "expected_depth"  # what the model itself chose, told like a feature
GIVEN = ("size", "place")  # what a probe need not find


@torch.no_grad()
def state(model: Anira, tokens: Tensor, iterations: int, depths: Tensor | None = None) -> Tensor:
    """The states (B, T, E) of tokens (B, T) after 0..D iterations, 0 being the prelude's, as the decider is shown them.

    A token that halts earlier keeps its state. depths (B, T): when each halts; by default as the model chooses.
    """
    seen = []
    if iterations:
        depths = (model(tokens).depths if depths is None else depths).clamp(max=iterations)
        hook = model.coda.register_forward_pre_hook(lambda layer, inputs: seen.append(inputs[0]))
    else:
        hook = model.prelude.register_forward_hook(lambda layer, inputs, output: seen.append(output))
    with hook:
        model(tokens, depths=depths)
    return seen[0]


def probe(model: Anira, task: Task, n: int, seed: int, *, given: Collection[str] = GIVEN, draws: int = 200, split: Split = "held_out") -> pd.DataFrame:
    """How much of each difficulty the state shows after 0..D iterations, on `n` instances of the task's mixture of sizes.

    Args:
        model: one whose iterations share a layer, so no untied one.
        task: one that draws batches with their features (`batch_with_features`), as all tasks of the suite do.
        given: what the probe is told besides the state, any of "size" and "place" (0 is the answer's first token). Where
            the size *is* the difficulty, as the hops that DEPO asks for, leave it to the state.
        draws: bootstrap samples for the intervals; 0 for none.
        split: which problems are drawn; "held_out" are those that the model's training has not seen.

    Returns:
        One row per iteration and feature of answer tokens, and per iteration one for "expected_depth", the model's own
        E[d] of the token. Columns: iteration, feature, and those of `anira.analysis.intervals`. The estimate is R² on
        held-out instances, of what the mean over tokens with the same of what is given leaves unexplained: 1 if the
        state shows all of that, 0 if nothing of it; below 0 the probe has learned what does not hold. Undefined where
        nothing is left. Intervals are over instances, for this model and this probe.
    """
    if not set(given) <= set(GIVEN):
        raise ValueError(f"A probe can be given {' and '.join(GIVEN)}, received {', '.join(map(repr, given))}.")
    if model.config.untied:
        raise ValueError("Untied layers have no state between iterations that a decider could be shown. Take a model with one core.")
    if not hasattr(task, "batch_with_features"):
        raise ValueError(f"The task {task.name!r} draws no batches with features: it needs a method batch_with_features(n, rng).")
    check_asked(model, task, n)
    names = [name for name, feature in task.features.items() if feature.where == "answer"]
    chunks = list(_chunks(model, task, names, n, seed, split))
    owner, size, place, values = (np.concatenate([chunk[part] for chunk in chunks]) for part in range(4))
    train = owner < round(n * (1 - HELD_OUT))
    if train.all() or not train.any():
        raise ValueError(f"A probe learns from some instances and is judged by others, received n = {n}. Take a thousand or more.")
    cell = [column for name, column in zip(GIVEN, (size, place), strict=True) if name in given]
    unexplained = _less_cell_means(values, cell, train)
    varies = unexplained[~train].var(axis=0) > 1e-6 * np.maximum(values.var(axis=0), 1)
    names, tables = [*names, CHOICE], []
    for iteration in range(model.config.max_depth + 1):
        states = torch.cat([chunk[4][iteration] for chunk in chunks])
        inputs = torch.cat([states, *(F.one_hot(torch.from_numpy(column)) for column in cell)], 1)  # (tokens, E + sizes + places)
        errors = ((values - _told(inputs, values, train, model.config.decider_hidden, seed)) ** 2)[~train]
        total = np.where(varies, unexplained[~train] ** 2, np.nan)
        rows = cluster_bootstrap(partial(_shares, errors, total), owner[~train], names=names, draws=draws, seed=seed)
        rows.loc[~varies, "reason"] = f"{' and '.join(given)} leave nothing to tell" if given else "it does not vary"
        tables.append(rows.rename_axis("feature").reset_index().assign(iteration=iteration))
    return pd.concat(tables, ignore_index=True)[["iteration", "feature", *COLUMNS]]


def _shares(errors: np.ndarray, total: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Of each column of squares (tokens, F), the share of `total` that the errors leave out."""
    return 1 - weights @ errors / (weights @ total)


def _chunks(model: Anira, task: Task, names: list[str], n: int, seed: int, split: Split) -> Iterator[tuple]:
    """Some instances at a time, and of each answer token: its instance, size, place in the answer, what is to be told, its states."""
    device, rng = next(model.parameters()).device, np.random.default_rng(seed)
    columns = [list(task.features).index(name) for name in names]
    for first in range(0, n, ROWS):
        batch, features = cast(Any, task).batch_with_features(min(ROWS, n - first), rng, split=split)
        features, reading = features[..., columns], read(model, batch)
        asked = reading.answer & ~np.isnan(features).any(-1)  # an end token has no difficulty
        rows, at = asked.nonzero()
        place = (reading.answer.cumsum(1) - 1)[asked]
        told = np.concatenate([features, reading.expected_depth[..., None]], -1)[asked]
        tokens, depths = batch.tokens[:, :-1].to(device), torch.from_numpy(reading.own_depth[:, :-1].clip(1)).to(device)
        states = [state(model, tokens, iteration, depths).cpu().float()[rows, at - 1] for iteration in range(model.config.max_depth + 1)]
        yield first + rows, batch.sizes.numpy()[rows], place, told, states


def _less_cell_means(values: np.ndarray, cell: list[np.ndarray], train: np.ndarray) -> np.ndarray:
    """The values (tokens, F) less the mean of the training tokens of the same cell, or of all of them where it has none."""
    learned = pd.DataFrame(np.where(train[:, None], values, np.nan))
    means = learned.groupby(cell or np.zeros(len(values))).transform("mean")
    return values - means.fillna(learned.mean()).to_numpy()


def _told(inputs: Tensor, values: np.ndarray, train: np.ndarray, hidden: int, seed: int) -> np.ndarray:
    """What a probe that has learned from the training tokens says of all of them: (tokens, F), from inputs (tokens, E)."""
    generator = torch.Generator().manual_seed(seed)
    mean, scale = values[train].mean(axis=0), values[train].std(axis=0).clip(1e-6)
    targets = torch.from_numpy((values - mean) / scale).float()
    network = head(inputs.shape[1], hidden, targets.shape[1])
    for layer in (layer for layer in network if isinstance(layer, torch.nn.Linear)):
        torch.nn.init.uniform_(layer.weight, -(layer.in_features**-0.5), layer.in_features**-0.5, generator=generator)
    torch.nn.init.zeros_(last(network).bias)
    optimizer = torch.optim.AdamW(network.parameters(), LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, STEPS)
    learned = torch.from_numpy(train.nonzero()[0])
    for _ in range(STEPS):
        rows = learned[torch.randint(len(learned), (TOKENS,), generator=generator)]
        F.mse_loss(network(inputs[rows]), targets[rows]).backward()
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
    with torch.no_grad():
        return network(inputs).double().numpy() * scale + mean
