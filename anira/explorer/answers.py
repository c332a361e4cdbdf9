"""What a model answers to one question of the explorer, packed for the browser, which makes the picture of it.

A packed answer is a dict of plain Python values. Position i of P + A - 1 reads token i and predicts token i + 1.
    answer: names of the A generated tokens.
    depths: iterations spent on each position.
    exit_probs: D numbers for each position, one after the other.
    given: position → depth, as the reader has chosen.
    alone: None, until `alone` is asked.
    milliseconds, device: of the model.

`anira/explorer/sources.mjs` makes the same of the model in the page.
"""

from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import cast

import torch
from torch import Tensor

from anira.model.anira import Anira, Output
from anira.model.deciders import Looking, Run, depth_by_rule
from anira.tasks.task import Task
from anira.threads import one_thread


class PartlyGiven:
    """A run in which some tokens' depths come from outside and all others' from the decider. given (1, T): 0 where it decides."""

    def __init__(self, run: Run, given: Tensor):
        self._run, self._given = run, given
        self.planned = run.planned

    @property
    def depths(self) -> Tensor:
        return torch.where(self._given > 0, self._given, self._run.depths)

    @property
    def exit_probs(self) -> Tensor:
        return self._run.exit_probs

    def active(self, d: int) -> Tensor:
        return torch.where(self._given > 0, self._given >= d, self._run.active(d))

    def look(self, logits: Tensor) -> None:
        cast(Looking, self._run).look(logits)

    def observe(self, d: int, h: Tensor, rows: Tensor | None = None) -> None:
        self._run.observe(d, h, rows)


def read(model: Anira, tokens: Tensor, rule: str | float | None, given: Tensor) -> Output:
    """A dense pass over tokens (1, T) in which the tokens with a given depth take it, and all others decide."""
    rule = model.decider.default_rule if rule is None else rule
    if not bool(given.any()):
        return model(tokens, select=rule)
    if rule in model.decider.late_rules:
        whole = model(tokens, depths=model.config.max_depth).exit_probs
        output = model(tokens, depths=torch.where(given > 0, given, depth_by_rule(whole, rule)))
        return Output(output.logits, output.depths, whole)
    rotation = model.rotation(tokens.shape[1])
    h = model.prelude(model.embedding(tokens), rotation)  # (1, T, E)
    run = PartlyGiven(model.start(h, None, rule, model.decider.context(tokens)), given)
    for d, layer in enumerate(model.iterations, start=1):
        h = torch.where(run.active(d)[..., None], layer(h, rotation), h)
        if model.decider.reads_answer and d < model.config.max_depth:
            run.look(model.readout(h, rotation))
        run.observe(d, h)
    return Output(model.readout(h, rotation), run.depths, run.exit_probs)


@torch.no_grad()
def answer(
    model: Anira, task: Task, prompt: Sequence[str], *, rule: str | float | None = None, given: Mapping[int, int] = {}, draft: Sequence[str] = (), longest: int
) -> dict:
    """The greedy answer to a prompt, in a few passes instead of one per token.

    Each pass predicts every answer token at once, given a draft of the tokens before it; the predictions are the next
    draft. The model is causal, so after k passes at least the first k tokens are those of greedy decoding, and a draft
    that predicts itself is the greedy answer. Where the draft is the right answer and so is the model, one pass is enough.

    Args:
        prompt: token names.
        rule: a stopping rule as in `Anira.forward`; the model's own by default.
        given: position → depth in 1..D that this position takes instead.
        draft: token names to begin with.
        longest: the most tokens of an answer; it ends with the task's end token or there.

    Returns:
        A packed answer, see the top of this file.

    Raises:
        ValueError: unknown token names, an unknown rule, a depth outside 1..D, more tokens than the model takes, a model whose weights are no numbers.
    """
    began = perf_counter()
    device, names = next(model.parameters()).device, task.vocabulary
    wrong = [depth for depth in given.values() if not model.config.min_depth <= depth <= model.config.max_depth]
    if wrong:
        raise ValueError(f"A given depth lies in {model.config.min_depth}..{model.config.max_depth}, received {wrong[0]}.")
    first, draft = len(prompt), list(draft)[:longest]
    ids = names.encode([*prompt, *draft, *[prompt[0]] * (longest - len(draft))])
    tokens = torch.tensor([ids], device=device)
    taken = torch.tensor([[given.get(i, 0) for i in range(len(ids))]], device=device)
    with one_thread():
        while True:
            output = read(model, tokens, rule, taken)
            predicted = output.logits[0, first - 1 : -1].argmax(-1)
            if not bool(output.exit_probs.isfinite().all() & output.logits.isfinite().all()):
                raise ValueError("What the model computes is not finite (NaN): its training has diverged, or its weights are damaged.")
            if torch.equal(_until_end(predicted, task.end_token), _until_end(tokens[0, first:], task.end_token)):
                break
            tokens[0, first:] = predicted
    said = _until_end(predicted, task.end_token).tolist()
    said = said[: said.index(task.end_token) + 1] if task.end_token in said else said
    used = first + len(said) - 1
    return {
        "answer": names.decode(said),
        "depths": output.depths[0, :used].tolist(),
        "exit_probs": [round(prob, 6) for prob in output.exit_probs[0, :used].flatten().tolist()],
        "given": {str(position): depth for position, depth in given.items()},
        "alone": None,
        "milliseconds": round((perf_counter() - began) * 1000, 1),
        "device": str(device),
    }


def _until_end(tokens: Tensor, end: int | None) -> Tensor:
    """Tokens (A,), all after the first end token replaced by it."""
    if end is None:
        return tokens
    return torch.where((tokens == end).cumsum(0) > 0, end, tokens)


@torch.no_grad()
def alone(model: Anira, task: Task, prompt: Sequence[str], answer: Sequence[str], depths: Sequence[int]) -> list[list[str]] | None:
    """What each answer token would have been, had the position that predicts it taken 1..D iterations and all others theirs.

    Returns D lists of names, one for each answer token; None where there is no other depth to take.
    """
    config, device = model.config, next(model.parameters()).device
    if config.min_depth == config.max_depth:
        return None
    tokens = torch.tensor([task.vocabulary.encode([*prompt, *answer[:-1]])], device=device)
    positions = torch.arange(len(prompt) - 1, tokens.shape[1], device=device).repeat_interleave(config.max_depth)
    rows = torch.arange(len(positions), device=device)
    changed = torch.tensor([depths], device=device).repeat(len(positions), 1)
    changed[rows, positions] = torch.arange(1, config.max_depth + 1, device=device).repeat(len(answer))
    with one_thread():
        output = model(tokens.expand(len(positions), -1), depths=changed, execution="dense" if device.type != "cpu" or model.decider.reads_answer else "sparse")
    said = output.logits[rows, positions].argmax(-1).view(len(answer), config.max_depth)
    return [task.vocabulary.decode(column) for column in said.T.tolist()]
