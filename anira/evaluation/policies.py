"""The ladder of policies: who gets which depth, from one number for all to what only the answer could tell.

One model and its weights, many ways to give its tokens their depths, on the same instances:

- *uniform d*: every token, of prompt and answer
- *answer d*: prompt tokens 1, answer tokens d
- *mean of size and place*: prompt tokens 1, an answer token the mean depth that the decider chose for tokens of its size and place,
  on other instances
- *shuffled, same size and place*, *shuffled, same edges and place*: what the decider chose, dealt out anew among answer tokens that are alike in these. In
  the second the decider is in effect shown another token of the same surface: its depth comes from a state that tells of another search
- *chosen*: the decider's own rule
- *confident θ*: an answer token goes on until the readout gives its best token the probability θ; each look pays a coda
- *rests ε*: until an iteration moves its state by less than a share ε
- *need, alone*: the least depth from which on it stays right, the others as chosen, given to all answer tokens at once
- *need, together*: the same, but found with all answer tokens at one depth
- *oracle*: the same, but one token after the other, each in view of what those before it got; no rule can know it

In the last five, prompt tokens keep what the decider chose. Confident and rests need no training (Popescu et al. 2026; Logan 2026).
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from anira.evaluation.evaluate import summarize
from anira.evaluation.reading import Reading, check_asked, read
from anira.evaluation.readout import Answers, View
from anira.evaluation.trace import draw
from anira.model.anira import Anira
from anira.model.flops import token_cost
from anira.tasks.task import Batch, Split, Task, collate

CONFIDENT = (0.5, 0.9, 0.99, 0.999)
RESTS = (0.5, 0.4, 0.3, 0.2)
OTHERS = 7919  # added to the seed: instances that the role baseline is made from


def ladder(
    model: Anira,
    task: Task,
    n: int,
    seed: int,
    sizes: Iterable[int] | None = None,
    *,
    confident: Sequence[float] = CONFIDENT,
    rests: Sequence[float] = RESTS,
    split: Split = "held_out",
) -> pd.DataFrame:
    """One row for each policy, setting and size, on the same `n` instances a size.

    Args:
        sizes: by default the task's own.
        confident: probabilities θ.
        rests: shares ε.
        split: which problems are drawn; "held_out" are those that no training sees.

    Returns:
        The columns

        - policy, as above; setting: d, θ or ε, NaN where there is none
        - size, instances, and the other columns of `anira.evaluation.evaluate.evaluate`
        - all_depth: mean iterations over prompt and answer
        - looks: readouts of an answer token before the one that counts
        - flops: operations a token of prompt and answer, looks included, and the decider where the policy asks it
        - flops_share: of a pass at full depth D without a decider

    Raises:
        ValueError: a model with untied layers; what `evaluate` refuses.
    """
    sizes = check_asked(model, task, n, sizes)
    parts = [(size, draw(task, [size], n, seed, split=split)) for size in sizes]
    batches = [collate(instances) for _, instances in parts]
    chosen = [read(model, batch) for batch in batches]
    others = [read(model, collate(draw(task, [size], n, seed + OTHERS, split=split))) for size in sizes]
    edges = [_edges(instances) for _, instances in parts]
    rows = []
    for policy, setting, readings, asked, looks in _policies(model, batches, chosen, others, edges, seed, confident, rests):
        for size, reading, own in zip(sizes, readings, chosen, strict=True):
            inside = reading.predicted
            rows.append(
                {
                    "policy": policy,
                    "setting": setting,
                    "size": size,
                    "instances": n,
                    **summarize(reading),
                    "all_depth": reading.depth[inside].mean(),
                    **_operations(model, reading, own, asked=asked, looks=looks),
                }
            )
    return pd.DataFrame(rows).round(5)


def _policies(model, batches: list[Batch], chosen: list[Reading], others: list[Reading], edges: list, seed: int, confident, rests):
    """(policy, setting, a reading for each size, which part asks the decider, whether it looks)."""
    D = model.config.max_depth

    def given(depths: Iterable[np.ndarray]) -> list[Reading]:
        return [read(model, batch, depths=own.with_depth(depth)) for batch, own, depth in zip(batches, chosen, depths, strict=True)]

    def short_prompt(depths: Iterable[np.ndarray]) -> list[Reading]:
        readings = []
        for batch, own, depth in zip(batches, chosen, depths, strict=True):
            table = own.with_depth(depth)
            first = own.answer.argmax(1) - 1
            table[np.arange(table.shape[1]) < first[:, None]] = 1
            readings.append(read(model, batch, depths=table))
        return readings

    for d in range(1, D + 1):
        yield "uniform", d, [read(model, batch, depths=d) for batch in batches], "none", False
    for d in range(1, D + 1):
        yield "answer", d, short_prompt(np.full_like(own.depth, d) for own in chosen), "none", False
    yield "mean of size and place", np.nan, short_prompt(_mean_of_place(own, other) for own, other in zip(chosen, others, strict=True)), "none", False
    for name, keys in (("size", [np.full(len(own.answer), i) for i, own in enumerate(chosen)]), ("edges", edges)):
        yield f"shuffled, same {name} and place", np.nan, given(_shuffled(chosen, keys, np.random.default_rng(seed))), "all", False
    yield "chosen", np.nan, chosen, "all", False
    for theta in confident:
        yield "confident", theta, _in_sequence(model, batches, partial(_confident, theta)), "prompt", True
    for epsilon in rests:
        yield "rests", epsilon, _in_sequence(model, batches, partial(_rests, epsilon)), "prompt", False
    yield "need, alone", np.nan, given(_needs(model, batch) for batch in batches), "prompt", False
    yield "need, together", np.nan, given(_needs_together(model, batch, own) for batch, own in zip(batches, chosen, strict=True)), "prompt", False
    yield "oracle", np.nan, _in_sequence(model, batches, lambda view: _stays(view.right)), "prompt", False


def place_of(answer: np.ndarray) -> np.ndarray:
    """(B, T) → (B, T): how many answer tokens come before each column."""
    return answer.cumsum(1) - answer


def _mean_of_place(own: Reading, other: Reading) -> np.ndarray:
    """The mean depth, rounded, of the other instances' tokens of the same place; of all their answer tokens where none has that place."""
    place, there = place_of(own.answer), place_of(other.answer)[other.answer]
    values = other.depth[other.answer]
    sums, counts = np.bincount(there, values, minlength=place.max() + 1), np.bincount(there, minlength=place.max() + 1)
    means = np.where(counts > 0, sums / np.maximum(counts, 1), values.mean())
    return np.rint(means)[place].astype(np.int64)


def _shuffled(chosen: list[Reading], keys: list[np.ndarray], rng: np.random.Generator) -> list[np.ndarray]:
    """Depths (B, T) of each size, the chosen ones dealt out anew among answer tokens with the same key (B,) of their instance and the same place."""
    depths = [own.depth.copy() for own in chosen]
    frame = pd.concat(
        [
            pd.DataFrame(
                {"part": i, "row": row, "column": column, "key": key[row], "place": place_of(own.answer)[row, column], "depth": own.depth[row, column]}
            )
            for i, (own, key) in enumerate(zip(chosen, keys, strict=True))
            for row, column in [np.nonzero(own.answer)]
        ],
        ignore_index=True,
    )
    frame["depth"] = frame.groupby(["key", "place"])["depth"].transform(lambda values: rng.permutation(values.to_numpy()))
    for i, part in frame.groupby("part"):
        depths[i][part["row"], part["column"]] = part["depth"]
    return depths


def _in_sequence(model: Anira, batches: list[Batch], rule: Callable[[View], Tensor]) -> list[Reading]:
    readings = []
    for batch in batches:
        answers = Answers(model, batch)
        for view in answers.views():
            answers.settle(view, rule(view))
        readings.append(read(model, batch, depths=answers.spent()))
    return readings


def _needs(model: Anira, batch: Batch) -> np.ndarray:
    """(B, T), column t about token t: the need of each answer token, the others as chosen; D where it is wrong with D."""
    answers, needs = Answers(model, batch), np.ones(batch.tokens.shape, np.int64)
    for view in answers.views():
        needs[view.rows.cpu().numpy(), view.positions.cpu().numpy() + 1] = _stays(view.right).cpu().numpy()
        answers.settle(view)
    return needs


def _needs_together(model: Anira, batch: Batch, own: Reading) -> np.ndarray:
    """(B, T), column t about token t: the need of each answer token, all of them at one depth; D where it is wrong with D."""
    right = [read(model, batch, depths=own.with_depth(np.full_like(own.depth, d))).right for d in range(1, model.config.max_depth + 1)]
    return _stays(torch.from_numpy(np.stack(right, -1)).flatten(0, 1)).unflatten(0, own.depth.shape).numpy()


def _confident(theta: float, view: View) -> Tensor:
    return _first(view.confidence >= theta)


def _rests(epsilon: float, view: View) -> Tensor:
    return _first(view.change <= epsilon)


def _first(holds: Tensor) -> Tensor:
    """(n, D) → (n,): the first depth at which it holds, D if it never does."""
    holds = holds.clone()
    holds[:, -1] = True
    return holds.int().argmax(1) + 1


def _stays(holds: Tensor) -> Tensor:
    """(n, D) → (n,): the least depth from which on it holds, D if it does not hold there."""
    run = holds.flip(1).int().cumprod(1).sum(1)
    return (holds.shape[1] + 1 - run).clamp(max=holds.shape[1])


def _edges(instances: Sequence) -> np.ndarray:
    """(n,): pairs of tokens between the ends of the prompt, or its length where a task has no edges."""
    return np.array([len(instance.prompt) for instance in instances])


def _operations(model: Anira, reading: Reading, own: Reading, *, asked: str, looks: bool) -> dict[str, float]:
    inside = reading.predicted
    answer = reading.answer[inside]
    # where depths were dealt out anew, the decider was asked for what it chose
    depths, contexts = torch.from_numpy(reading.depth[inside]), torch.from_numpy(np.nonzero(inside)[1])
    cost = token_cost(model.config, depths, contexts)
    decided = token_cost(model.config, torch.from_numpy(own.depth[inside]), contexts).decider
    decider = {"none": 0, "prompt": int(decided[~answer].sum()), "all": int(decided.sum())}[asked]
    more = depths[answer] - 1 if looks else torch.zeros_like(depths[answer])
    look = cost.coda + cost.unembedding + cost.attention // (depths + 2)
    whole = token_cost(model.config, torch.full_like(depths, model.config.max_depth), contexts).summed()
    summed = cost.summed()
    spent = summed.total - summed.decider + decider + int((look[answer] * more).sum())
    return {"looks": int(more.sum()) / len(more), "flops": spent / len(depths), "flops_share": spent / (whole.total - whole.decider)}
