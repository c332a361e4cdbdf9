"""One scene of the explorer: a graph, a model's answer to it, and the iterations spent on every token.

`scene` is a pure function from a model and an instance to plain data (it goes to the browser as JSON). The
widget calls it at each move of a control; the recording stores what it returns.

Alignment. Position p of the sequence reads one token and predicts the next. A *prompt* token shows the depth
spent at its own position, where the model reads it. An *answer* token shows the depth spent at the position
before it, the one that predicts it. So `<answer>`, the last prompt token, and the first answer token show
the same position, and each later answer token shows the depth spent on reading the answer token before it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter

import torch
from torch import Tensor

from anira.drawing.layout import layout
from anira.model.anira import Anira
from anira.model.deciders import Select
from anira.tasks.brevo import Brevo
from anira.tasks.task import Instance


@dataclass(frozen=True)
class Solution:
    """A model's greedy answer to one instance. Position i of P + A - 1 predicts token i + 1.

    answer: the A generated tokens · depths (P + A - 1,) · exit_probs (P + A - 1, D).
    """

    answer: tuple[int, ...]
    depths: Tensor
    exit_probs: Tensor


@contextmanager
def one_thread() -> Iterator[None]:
    """For a model this small more threads only wait for each other: ten times slower on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@one_thread()
@torch.no_grad()
def solve(model: Anira, task: Brevo, instances: Sequence[Instance], select: Select | None = None) -> list[Solution]:
    """The greedy answer to each instance, in a few passes over all of them instead of one per token.

    Each pass predicts every answer token at once, given a draft of the tokens before it; the predictions
    are the next draft. The model is causal, so after k passes at least the first k tokens are those of
    greedy decoding, and a draft that predicts itself is the greedy answer. The first draft is the expected
    answer: where the model is right, one pass is enough. An answer ends with the end token, or where the
    longest possible one (every node but the query) would.
    """
    device = next(model.parameters()).device
    longest = max(len(instance.prompt) + instance.size for instance in instances)
    tokens = torch.zeros(len(instances), longest, dtype=torch.long)
    asked = torch.zeros(len(instances), longest, dtype=torch.bool)  # positions that hold the answer
    for row, instance in enumerate(instances):
        tokens[row, : len(instance.tokens)] = torch.tensor(instance.tokens)
        asked[row, len(instance.prompt) : len(instance.prompt) + instance.size] = True
    tokens, asked = tokens.to(device), asked.to(device)

    solutions: list[Solution | None] = [None] * len(instances)
    rows = torch.arange(len(instances), device=device)  # those whose draft still changes
    while len(rows):
        output = model(tokens[rows], select=select)
        predicted = output.logits.argmax(-1).roll(1, dims=1)
        ended = ((predicted == task.end_token) & asked[rows]).cumsum(1).roll(1, dims=1) > 0
        draft = torch.where(asked[rows] & ~ended, predicted, torch.where(asked[rows], 0, tokens[rows]))
        changed = (draft != tokens[rows]).any(1)
        for i in (~changed).nonzero().flatten().tolist():
            instance = instances[rows[i]]
            answer = draft[i, len(instance.prompt) : len(instance.prompt) + instance.size].tolist()
            if task.end_token in answer:
                answer = answer[: answer.index(task.end_token) + 1]
            used = len(instance.prompt) + len(answer) - 1
            solutions[rows[i]] = Solution(tuple(answer), output.depths[i, :used].cpu(), output.exit_probs[i, :used].cpu())
        tokens[rows] = draft
        rows = rows[changed]
    return solutions


def scene(model: Anira, task: Brevo, instance: Instance, select: Select | None = None) -> dict:
    """Solve one instance and describe everything that the explorer shows of it.

    Args:
        select: stopping rule, as in `Anira.forward`; a number is a threshold on F(d).

    Returns:
        A dict of plain Python values, see `describe`, with the model's time in `milliseconds`.

    Raises:
        ValueError: an unknown rule, an instance longer than the model takes.
    """
    began = perf_counter()
    (solution,) = solve(model, task, [instance], select)
    milliseconds = (perf_counter() - began) * 1000
    return describe(model, task, instance, solution) | {"milliseconds": round(milliseconds, 1)}


def describe(model: Anira, task: Brevo, instance: Instance, solution: Solution) -> dict:
    """A solution as plain data.

    Keys: size · decider · max_depth, D · device · nodes, each with name, x, y in 0..1 and whether it is the
    query · edges, pairs of names in the order of the prompt · prompt and answer, one dict per token with
    name, role, depth and exit_probs (see the module's docstring for which depth is whose); answer tokens
    also say whether they are right · expected, names of the right answer · correct, whether all of it is.
    """
    depths = solution.depths.tolist()
    exit_probs = [[round(prob, 6) for prob in row] for row in solution.exit_probs.tolist()]
    names = task.vocabulary.decode(instance.prompt + solution.answer)
    expected = task.vocabulary.decode(instance.answer)
    first = len(instance.prompt)

    def token(position: int, shown_at: int, role: str) -> dict:
        return {"name": names[position], "role": role, "depth": depths[shown_at], "exit_probs": exit_probs[shown_at]}

    prompt = [token(i, i, role) for i, role in enumerate(_prompt_roles(first))]
    answer = [
        token(first + i, first + i - 1, "end" if solution.answer[i] == task.end_token else "answer") | {"right": i < len(expected) and name == expected[i]}
        for i, name in enumerate(names[first:])
    ]
    places = layout(instance.source)
    return {
        "size": instance.size,
        "decider": model.config.variant,
        "max_depth": model.config.max_depth,
        "device": str(next(model.parameters()).device),
        "nodes": [{"name": name, "x": x, "y": y, "query": name == instance.source.graph["query"]} for name, (x, y) in places.items()],
        "edges": [(tail, head.removeprefix("→")) for tail, head in zip(names[1 : first - 3 : 2], names[2 : first - 3 : 2], strict=True)],
        "prompt": prompt,
        "answer": answer,
        "expected": expected,
        "correct": solution.answer == instance.answer,
    }


def _prompt_roles(length: int) -> list[str]:
    """Roles of `<bos>`, the two nodes of every edge, `<query>`, the node asked about, and `<answer>`."""
    return ["start"] + ["from", "to"] * ((length - 4) // 2) + ["mark", "query", "mark"]
