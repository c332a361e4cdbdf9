"""Chapter 08-cost."""

from functools import cache

import numpy as np
import pandas as pd
import torch

import anira
from anira.bench.formula import cost_shares
from anira.bench.suite import summary
from anira.model.flops import dense_cost, sparse_cost, token_cost
from tests.book.numbers.tables import range_of


@cache
def measured(name: str, reference: str = "fixed") -> pd.DataFrame:
    return summary(anira.results("bench", name), reference)


def at_depth_two(work: str, reference: str, contender: str = "sparse", column: str = "speed_up", **case: int) -> tuple[float, float]:
    """The least and the greatest over deciders and widths, on a CPU."""
    return span(chosen(measured("cpu", reference), work=work, contender=contender, mean_depth=2, **case)[column])


def on_gpu(column: str = "speed_up", contender: str = "sparse", **case: int) -> pd.Series:
    return chosen(measured("gpu"), contender=contender, **case)[column]


def chosen(rows: pd.DataFrame, **case: str | int) -> pd.DataFrame:
    return rows[(rows[list(case)] == list(case.values())).all(axis=1)]


def span(values: pd.Series) -> tuple[float, float]:
    return values.min(), values.max()


@cache
def depths() -> tuple[torch.Tensor, torch.Tensor, anira.Config]:
    """What the online model spends on the chapter's 64 problems, 0 at padding; where their answers are; its sizes."""
    model, task, _ = anira.load("brevo-online-tiny")
    batch = task.batch(64, np.random.default_rng(0))
    with torch.no_grad():
        return model(batch.tokens, lengths=batch.lengths).depths, batch.answer_mask, model.config


def who_stops() -> list[str]:
    """How many of the tokens stop after the first iteration, and how many of these are tokens of the prompts, in words."""
    spent, answers, _ = depths()
    first = spent == 1
    share, prompts = (first.sum() / (spent > 0).sum()).item(), (~answers)[first].double().mean().item()
    return ["two thirds" if 0.64 < share < 0.7 else f"{share:.2f}", "nearly all" if 0.95 < prompts < 1 else f"{prompts:.2f}"]


def padding() -> list[str]:
    share = (depths()[0] == 0).double().mean().item()
    return ["nearly half" if 0.45 < share < 0.5 else f"{share:.2f}"]


def attention() -> list[float]:
    """Millions of operations for the attention of the chapter's batch: sparse, the least possible, and dense."""
    spent, _, config = depths()
    contexts, inside = torch.arange(1, spent.shape[1] + 1).expand_as(spent), spent > 0
    least = token_cost(config, spent[inside], contexts[inside]).summed()
    return [cost.attention / 1e6 for cost in (sparse_cost(config, spent), least, dense_cost(config, *spent.shape))]


def between_depths() -> list[int]:
    """The depths between which a token of exercise 1 comes to cost more than at fixed depth."""
    shares = cost_shares([1024], [64]).query("decider == 'online'").groupby("depth")["share"].sum()
    first = int((shares > 1).idxmax())
    return [first - 1, first]


def by_hand() -> list[int]:
    """Weights of a layer of the book's models, and operations of the prelude for a token."""
    prelude = token_cost(depths()[2], torch.tensor([2]), torch.tensor([33])).summed().prelude
    return [prelude // 2, prelude]


def four_for_one() -> list[str]:
    """How many times as long as for one sequence fixed depth takes for four, at width 96, as measured beside each decider."""
    rows = chosen(measured("cpu"), work="prefill", width=96, mean_depth=2, contender="fixed")
    seconds = rows.pivot(index="decider", columns="batch", values="seconds")
    return [" to ".join(sorted({f"{ratio:.1f}" for ratio in seconds[4] / seconds[1]}))]


HELD = [
    ("should be {:.1f} to {:.1f} times as fast as at fixed depth", lambda: range_of("ideal_fixed", lambda batch: batch > 0)),
    ("reading 16 to 128 sequences at a time, it is {:.1f} to {:.1f} times as fast;", lambda: range_of("speed_up", lambda batch: batch >= 16)),
    ("with a single sequence {:.1f} to {:.1f}, so", lambda: range_of("speed_up", lambda batch: batch == 1)),
    (
        "reading 64 sequences of 256 tokens, it is {:.1f} times as fast at width 96, which is slower, and {:.1f} times at width 1,024",
        lambda: [on_gpu(width=width, batch=64, mean_depth=2).item() for width in (96, 1024)],
    ),
    ("feed-forward block, {:,} in all. Twice that is {:,}, the prelude", by_hand),
    ("{} stop after the first; {} of these are tokens of the prompts", who_stops),
    ("padding, {} of this batch", padding),
    ("in {} times the time of one", four_for_one),
    (
        "should be {:.2f} (width 96) and {:.2f} (width 256) times as fast as dense execution",
        lambda: [
            chosen(measured("cpu"), work="prefill", decider="early", contender="sparse", batch=64, mean_depth=2, width=w)["ideal"].item() for w in (96, 256)
        ],
    ),
    ("reading 64 sequences at mean depth 2 is {:.1f} to {:.1f} times as fast in sparse execution", lambda: at_depth_two("prefill", "llama-loop", batch=64)),
    ("Against decoding without a cache, sparse decoding with one is {:.0f} to {:.0f} times as fast", lambda: at_depth_two("decoding", "recompute")),
    ("the mean depth comes out at {:.1f} to {:.1f}", lambda: at_depth_two("decoding", "fixed", column="depth")),
    ("At mean depth 2 the ideal is {:.2f} to {:.2f}", lambda: span(on_gpu("ideal_fixed", mean_depth=2))),
    (
        "comes near it: {:.2f} times as fast as fixed depth with 64 sequences, {:.2f} times with 256",
        lambda: [on_gpu(width=1024, batch=batch, mean_depth=2).item() for batch in (64, 256)],
    ),
    ("where the ideal is {:.2f} to {:.2f}", lambda: span(on_gpu("ideal_fixed", mean_depth=4))),
    ("it gains little, {:.2f} times at most", lambda: [on_gpu(mean_depth=4).max()]),
    ("At width 96 with 64 sequences it is {:.2f} times as fast", lambda: [on_gpu(width=96, batch=64, mean_depth=2).item()]),
    (
        "it takes {:.1f} milliseconds at mean depth 2 and {:.1f} at mean depth 4",
        lambda: [1000 * on_gpu("seconds", width=96, batch=64, mean_depth=depth).item() for depth in (2, 4)],
    ),
    ("Dense execution with the decider is {:.2f} to {:.2f} times as fast", lambda: span(on_gpu(contender="dense"))),
    ("the share passes 1 between depth {} and depth {}", between_depths),
    ("Check: {:.0f} million. The count has {:.0f} million, dense execution {:.0f} million", attention),
]
