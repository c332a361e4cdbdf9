"""The same search in a longer prompt: nodes are added that the query does not depend on, and the answer stays as it is.

Does depth rise with them as it rises in a really larger graph? Then it goes by the length of the prompt. Does it stay? Then it goes by the
search. Nodes can be added in two ways. As *dead ends*: each hangs on nodes that matter, or on another dead end where none of these is free,
and the search never comes to it. Or *apart*: a second graph, which touches the first nowhere. Their edges are put in at random places of the
prompt, the others keep their order.
"""

from collections.abc import Iterable
from dataclasses import replace

import networkx as nx
import numpy as np
import pandas as pd

from anira.evaluation.reading import check_asked, read
from anira.evaluation.trace import draw
from anira.model.anira import Anira
from anira.tasks.brevo import Brevo
from anira.tasks.task import Instance, Split, collate

MAX_DEGREE = 4  # of the paper's graphs
ADDED = (1, 2, 3, 4)


def with_distractors(task: Brevo, instance: Instance, count: int, rng: np.random.Generator, *, apart: bool = False) -> Instance:
    """The instance with `count` more nodes that its query does not depend on; its answer, features and size are unchanged.

    Each depends, as in the paper's graphs, on 1 to 4 nodes, none of which gets more than 4 dependents: on nodes that the query depends on, as
    long as there is a free one. Features of the prompt as a whole (`nodes`, `edges`, `hub_out_degree`, `out_degree`) are those of the original graph.

    Args:
        apart: the added nodes depend on each other alone, the first on none.

    Raises:
        ValueError: too few names for the added nodes; a single node apart, which has no edge and so no place in the prompt.

    >>> task = Brevo()
    >>> instance = task.sample(3, np.random.default_rng(0))
    >>> longer = with_distractors(task, instance, 2, np.random.default_rng(1))
    >>> longer.answer == instance.answer, len(longer.prompt) > len(instance.prompt)
    (True, True)
    """
    graph, query = instance.source, instance.source.graph["query"]
    names = [name for name in task.vocabulary.names[5 : 5 + task.node_names] if name not in graph]
    if count > len(names):
        raise ValueError(f"{count} nodes are to be added, and {len(names)} of {task.node_names} names are left. Take fewer, or a task with more names.")
    if apart and count == 1:
        raise ValueError("A node that stands apart alone has no edge, and a prompt lists edges. Add two at least.")
    matters = nx.ancestors(graph, query)
    out_degree = {} if apart else {node: graph.out_degree(node) for node in graph if node != query}
    added = []
    for node in rng.permutation(names)[:count]:
        free = [other for other, degree in out_degree.items() if degree < MAX_DEGREE]
        parents = rng.permutation([other for other in free if other in matters] or free)[: rng.integers(1, MAX_DEGREE + 1)]
        added += [(str(parent), f"→{node}") for parent in parents]
        for parent in parents:
            out_degree[str(parent)] += 1
        out_degree[str(node)] = 0
    prompt = task.vocabulary.decode(instance.prompt)
    edges = list(zip(prompt[1:-3:2], prompt[2:-3:2], strict=True))
    added = [added[i] for i in rng.permutation(len(added))]
    places = set(rng.permutation(len(edges) + len(added))[: len(added)].tolist())
    old, new = iter(edges), iter(added)
    mixed = [token for place in range(len(edges) + len(added)) for token in next(new if place in places else old)]
    tokens = tuple(task.vocabulary.encode([prompt[0], *mixed, *prompt[-3:]]))
    gap = np.full(len(tokens) - len(instance.prompt), np.nan)
    features = {name: np.concatenate([gap, values]) for name, values in instance.features.items()}
    return replace(instance, prompt=tokens, features=features)


def distract(model: Anira, task: Brevo, sizes: Iterable[int], n: int, seed: int, added: Iterable[int] = ADDED, *, split: Split = "held_out") -> pd.DataFrame:
    """Depth of the answer tokens of `n` instances of each size as they are, with distractors, and of really larger graphs.

    Args:
        added: how many nodes more. Where there is no name for them they are left out; apart there are two at least.
        split: which problems are drawn; "held_out" are those that no training sees. With distractors they are other problems, of either split.

    Returns:
        One row per answer token and case:

        - graph: "as it is", "dead ends", "apart", or "larger" (other instances, of size + added nodes)
        - added: nodes more, 0 for "as it is"
        - instance, size: of the graph before anything is added; instance i of a size is the same in the first three cases
        - place (0 is the first answer token), edges in the prompt
        - depth, expected_depth: where the token is predicted
        - correct: the token is the most probable one; instance_correct: all of the answer are
    """
    if not isinstance(task, Brevo):
        raise ValueError(f"Distractors are nodes of a BREVO graph, received the task {task.name!r}.")
    added, frames = list(added), []
    for number, size in enumerate(check_asked(model, task, n, sizes)):
        own = draw(task, [size], n, seed, split=split)
        cases = [("as it is", 0, own)]
        for count in (count for count in added if size + count <= task.size_limits[1]):
            rng = np.random.default_rng([seed, size, count])
            cases.append(("dead ends", count, [with_distractors(task, instance, count, rng) for instance in own]))
            if count > 1:
                cases.append(("apart", count, [with_distractors(task, instance, count, rng, apart=True) for instance in own]))
            cases.append(("larger", count, draw(task, [size + count], n, seed, split=split)))
        for graph, count, instances in cases:
            table = _depths(model, instances)
            frames.append(table.assign(graph=graph, added=count, size=size, instance=table["instance"] + number * n))
    table = pd.concat(frames, ignore_index=True)
    return table[["graph", "added", "size", "instance", "place", "edges", "depth", "expected_depth", "correct", "instance_correct"]]


def _depths(model: Anira, instances: list[Instance]) -> pd.DataFrame:
    reading = read(model, collate(instances))
    row, column = np.nonzero(reading.answer)
    prompts = np.array([len(instance.prompt) for instance in instances])
    return pd.DataFrame(
        {
            "instance": row,
            "place": column - prompts[row],
            "edges": (prompts[row] - 4) // 2,
            "depth": reading.depth[row, column],
            "expected_depth": reading.expected_depth[row, column],
            "correct": reading.right[row, column],
            "instance_correct": reading.solved[row],
        }
    )
