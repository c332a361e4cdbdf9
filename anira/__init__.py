"""Adaptive depth in recurrent Transformers, on tasks whose difficulty is known token by token.

`anira.<tab>` lists what most readers need; the rest is in the packages `tasks`, `model`, `evaluation`, `analysis`, `charts`,
`drawing`, `explorer`, `training` and `bench`. Each is imported when it is first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from anira.analysis.claims import verdicts as claims
    from anira.evaluation.evaluate import evaluate
    from anira.evaluation.trace import trace
    from anira.explorer.widget import explore
    from anira.model.anira import Anira, Config
    from anira.model.decoding import generate
    from anira.results import read as results
    from anira.tasks import Brevo, Clrs, Depo, Lano, Mano
    from anira.threads import one_thread
    from anira.zoo import load
    from anira.zoo import names as models

__version__ = "0.1.0"

#: Name → the module that it stands in, and its name there where that is another.
_PLACES = {
    "Brevo": "anira.tasks",  # a task: search in a graph, in topological order
    "Depo": "anira.tasks",  # a task: hops along a cycle
    "Mano": "anira.tasks",  # a task: modular arithmetic on expression trees
    "Lano": "anira.tasks",  # a task: sentences of a grammar
    "Clrs": "anira.tasks",  # a task: traces of algorithms, as text
    "Anira": "anira.model.anira",  # the model
    "Config": "anira.model.anira",  # its sizes, and its way of deciding depth
    "models": "anira.zoo:names",  # names of the trained models that ship
    "load": "anira.zoo",  # one of them, or a model file of your own
    "generate": "anira.model.decoding",  # answers, token by token
    "evaluate": "anira.evaluation.evaluate",  # accuracy and depth for each size
    "trace": "anira.evaluation.trace",  # depth and difficulty of every token
    "claims": "anira.analysis.claims:verdicts",  # what is claimed of all this, and what the stored tables say of it
    "explore": "anira.explorer.widget",  # the interactive explorer
    "one_thread": "anira.threads",  # for small models: fast on a busy machine too
}

__all__ = [
    "Anira",
    "Brevo",
    "Clrs",
    "Config",
    "Depo",
    "Lano",
    "Mano",
    "claims",
    "evaluate",
    "explore",
    "generate",
    "load",
    "models",
    "one_thread",
    "results",
    "trace",
]


_PACKAGES = ("analysis", "bench", "charts", "drawing", "evaluation", "explorer", "model", "results", "tasks", "training", "zoo")


def __getattr__(name: str) -> Any:
    if name in _PACKAGES:
        return import_module(f"anira.{name}")
    if name in _PLACES:
        module, _, other = _PLACES[name].partition(":")
        return getattr(import_module(module), other or name)
    raise AttributeError(f"module 'anira' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
