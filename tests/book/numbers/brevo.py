"""Chapter 03-brevo."""

from functools import cache

import torch

import anira
from anira.explorer.problems import read
from tests.book.numbers.tables import IN_WORDS, listed, millions, online

FAN = "c-e.a-e.d-e.b-e*e"  # the graph behind the link
LONGER = (".f-a", ".g-f")  # what exercise 3 adds to the chain


@cache
def spent(decider: str, problem: str, answer: str) -> list[int]:
    """Iterations of a shipped model on each node of a right answer."""
    model, task, _ = anira.load(f"brevo-{decider}-tiny")
    names = [*read(task, problem), *answer]
    tokens = torch.tensor([[task.vocabulary.names.index(name) for name in names]])
    return model(tokens).depths[0, -len(answer) - 1 : -1].tolist()


def chain(decider: str, nodes: int = 4) -> list[int]:
    """The same in the chapter's chain, made longer at its end away from the query."""
    return spent(decider, f"c-d.a-b.d-e.b-c{''.join(LONGER[: nodes - 4])}*e", "gfabcd"[-nodes:])


def more_in_the_chain() -> list[str]:
    """Nodes to which online gives one iteration more in the chain, and those to which it gives as many."""
    more = [one - other for one, other in zip(chain("online"), spent("online", FAN, "abcd"), strict=True)]
    one_more, as_many = ([node for node, by in zip("abcd", more, strict=True) if by == wanted] for wanted in (1, 0))
    return [listed(one_more), " ".join(as_many)]


def of_early() -> str:
    """What early gives a node, in both."""
    return " or ".join(IN_WORDS[depth] for depth in sorted({*chain("early"), *spent("early", FAN, "abcd")}))


HELD = [
    ("have {} million parameters", lambda: [millions()]),
    ("answers {:.0f} % [{:.0f} %, {:.0f} %] of graphs with eight", lambda: 100 * online(8)[["exact_match", "exact_low", "exact_high"]]),
    ("online gives {} one iteration more in the chain than in the graph behind the link, and {} as many", more_in_the_chain),
    ("Early gives each node {} in both", lambda: [of_early()]),
    ("to spend all six iterations on one of them? Check: {}", lambda: [IN_WORDS[next(nodes for nodes in (4, 5, 6) if 6 in chain("online", nodes))]]),
]

QUOTED = {"95 % intervals": "what intervals hold, everywhere"}
