"""Questions of the explorer, and what can be chosen: both sources, kernel and page, offer the same.

The text of a BREVO problem is `c-a.a-f.d*f`: arrows c→a and a→f, a node d without one, the query f. That of a MANO problem
is its tokens, `-.x.3.4.5`, with x for ×. `sources.mjs` reads and writes the same. A problem of any other task cannot be made up, since only
the task knows the right answer: it is chosen by size and number, and goes to the browser as its tokens and their features.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast

import numpy as np

from anira.charts.style import DEPTH_COLORS
from anira.tasks.brevo import Brevo
from anira.tasks.graphs import Physics
from anira.tasks.mano import Mano
from anira.tasks.task import Instance, Task
from anira.zoo import Loaded

MODELS = {
    "brevo": {"early": "brevo-early-tiny", "online": "brevo-online-tiny"},
    "mano": {"early": "mano-early-tiny", "online": "mano-online-tiny"},
    "depo": {"early": "depo-early-minute", "online": "depo-online-minute"},
    "lano": {"early": "lano-early-minute", "online": "lano-online-minute"},
}
LARGEST = {"graph": 16, "expression": 8}  # nodes, operators: more would not be readable
SMALLEST = {"graph": 3, "expression": 1}
OFFERED = {"graph": 16, "expression": 16, "sequence": 6}  # problems of each size on a page without a kernel
THRESHOLDS = tuple(round(0.05 * i, 2) for i in range(1, 20))


def kind_of(task: Task) -> Literal["graph", "expression", "sequence"]:
    """As what the explorer shows problems of this task."""
    return "graph" if type(task) is Brevo else "expression" if type(task) is Mano else "sequence"


def instance_of(task: Task, size: int, number: int) -> Instance:
    """Problem number `number` (1, 2 …) of a size: the same one in the widget, on the page and on any machine."""
    return task.sample(size, np.random.default_rng([size, number]))


def pose(task: Task, instance: Instance) -> str | dict[str, Any]:
    """An instance as the browser takes it: its text, or what `sequenceProblem` of `problem.mjs` takes.

    Where a prompt has more than one right answer, the whole string is what is read, and its last token what is asked.
    """
    if kind_of(task) != "sequence":
        return write(task, instance)
    prompt = instance.prompt if task.unique_answer and instance.prompt else instance.tokens[:-1]
    names = task.vocabulary.decode(instance.tokens)
    columns = {name: np.round(np.asarray(values, float), 4).tolist() for name, values in instance.features.items()}
    return {
        "title": f"{task.name.upper()}, {task.symbol} = {instance.size}",
        "size": instance.size,
        "prompt": names[: len(prompt)],
        "answer": names[len(prompt) :],
        "end": None if task.end_token is None else task.vocabulary.names[task.end_token],
        "features": [{name: column[i] for name, column in columns.items() if np.isfinite(column[i])} for i in range(len(names))],
    }


def write(task: Task, instance: Instance) -> str:
    """The text of an instance of a graph or an expression."""
    names = task.vocabulary.decode(instance.prompt)
    if kind_of(task) == "expression":
        return ".".join(names[1:-1]).replace("×", "x")
    edges = ["-".join((tail, head.removeprefix("→"))) for tail, head in zip(names[1:-3:2], names[2:-3:2], strict=True)]
    return f"{'.'.join(edges)}*{names[-2]}"


def text_of(edges: Sequence[tuple[str, str]], query: str) -> str:
    """The text of a graph of one's own, from pairs of node names and the node that is asked about.

    >>> text_of([("c", "a"), ("a", "f")], "f")
    'c-a.a-f*f'
    """
    return f"{'.'.join('-'.join(edge) for edge in edges)}*{query}"


def read(task: Task, text: str) -> list[str]:
    """Token names of the prompt that a text stands for.

    Raises:
        ValueError: a text that is not one, names that the task does not have, a graph with a circle or a query that needs nothing;
            a task whose problems have no text.
    """
    if kind_of(task) == "sequence":
        raise ValueError(f"A problem of {task.name.upper()} is chosen by its size and its number, nodes and graph, received {text!r}.")
    if kind_of(task) == "expression":
        names = text.replace("x", "×").split(".")
        _known(names, task.vocabulary.names, text)
        if not _one_expression(names):
            raise ValueError(f"{text!r} is no expression in prefix notation such as '-.x.3.4.1'.")
        return ["<bos>", *names, "<answer>"]
    listed, _, query = text.partition("*")
    pieces = [piece.split("-") for piece in listed.split(".") if piece]
    nodes = [name for piece in pieces for name in piece] + [query]
    _known(nodes, [name for name in task.vocabulary.names if f"→{name}" in task.vocabulary.names], text)
    edges = [(piece[0], piece[1]) for piece in pieces if len(piece) == 2]
    if len(set(edges)) < len(edges) or any(len(piece) > 2 for piece in pieces):
        raise ValueError(f"{text!r} has an arrow twice, or one that is not from a node to a node, as c-a.")
    _check_order(edges, text)
    if query not in {head for _, head in edges}:
        raise ValueError(f"The query {query!r} needs at least one arrow into it, received {text!r}.")
    return ["<bos>", *(name for tail, head in edges for name in (tail, f"→{head}")), "<query>", query, "<answer>"]


def _known(names, known, text):
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(f"Unknown name {unknown[0]!r} in {text!r}. Names are {', '.join(known)}.")


def _one_expression(names: list[str]) -> bool:
    slots = 1
    for i, name in enumerate(names):
        slots += 1 if name in ("+", "-", "×") else -1
        if slots == 0:
            return i == len(names) - 1 and len(names) > 1
    return False


def _check_order(edges: list[tuple[str, str]], text: str) -> None:
    left = edges
    while left:
        heads = {head for _, head in left}
        rest = [edge for edge in left if edge[0] in heads]
        if len(rest) == len(left):
            raise ValueError(f"The arrows {', '.join('→'.join(edge) for edge in rest)} hold a circle, received {text!r}.")
        left = rest


def longest_answer(task: Task, prompt: Sequence[str], right: Sequence[str] = ()) -> int:
    """The most tokens of an answer: every node but the query, and the end; of an expression its value; else as many as the right one has."""
    if kind_of(task) == "sequence":
        return len(right)
    return 1 if kind_of(task) == "expression" else len({name.removeprefix("→") for name in prompt[1:-3]})


def sizes_of(task: Task, longest: int) -> list[int]:
    """The sizes that the explorer offers of a task to a model of this `max_length`: as far as it can be drawn, or up to twice those trained on.

    Raises:
        ValueError: there is none.
    """
    (smallest, largest), kind = task.size_limits, kind_of(task)
    first, last = max(SMALLEST.get(kind, smallest), smallest), min(LARGEST.get(kind, 2 * max(task.sizes)), largest)
    sizes = [n for n in range(first, last + 1) if task.max_length(n) <= longest]
    if not sizes:
        raise ValueError(f"These models take {longest} tokens, too few for the smallest {task.name.upper()} problem: train with a larger max_length.")
    return sizes


def options(models: Mapping[str, Loaded]) -> dict:
    """All that can be chosen with these models, in JSON's types."""
    task = next(iter(models.values())).task
    longest = min(loaded.model.config.max_length for loaded in models.values())
    sizes = sizes_of(task, longest)
    trained = set.intersection(*(set(loaded.task.sizes) for loaded in models.values()))
    return {
        "task": task.name,
        "kind": kind_of(task),
        "symbol": task.symbol,
        "knob": task.knob,
        "sizes": sizes,
        "trained": sorted(trained),
        "thresholds": list(THRESHOLDS),
        "deciders": [_decider(label, loaded.model) for label, loaded in models.items()],
        "names": [name for name in task.vocabulary.names if f"→{name}" in task.vocabulary.names] if isinstance(task, Brevo) else [],
        "modulus": task.modulus if isinstance(task, Mano) else None,
        "longest": longest,
        "colors": DEPTH_COLORS,
    }


def _decider(label, model) -> dict:
    decider, config = model.decider, model.config
    return {
        "label": label,
        "rule": decider.default_rule,
        "planned": decider.planned,
        "decides": decider.decides and not config.untied,
        "min_depth": config.min_depth,
        "max_depth": config.max_depth,
    }


def drawable(task: Task) -> bool:
    """Whether the page can draw more such problems by itself: expressions, and graphs of the paper's family."""
    return kind_of(task) == "expression" or (kind_of(task) == "graph" and isinstance(cast(Brevo, task).graphs, Physics))


def offered(task: Task, sizes: Sequence[int]) -> dict[int, list[str | dict[str, Any]]]:
    """The problems that a page without a kernel offers, size → problems as `pose` gives them."""
    return {size: [pose(task, instance_of(task, size, number)) for number in range(1, OFFERED[kind_of(task)] + 1)] for size in sizes}
