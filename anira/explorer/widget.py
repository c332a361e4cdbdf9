"""The explorer as a notebook widget: every move of a control runs the model again.

The browser side is `explorer.mjs`; it holds a choice (nodes, graph, decider, threshold) and draws a scene.
Here a changed choice becomes a new scene. On a page without a kernel the same cell shows `text/html` instead:
the recorded player of `anira.explorer.player`.
"""

from collections.abc import Mapping
from pathlib import Path

import anywidget
import torch
import traitlets

from anira.explorer.player import MODULE, STYLE, player
from anira.explorer.recording import MODELS, instance_of
from anira.explorer.scene import scene
from anira.zoo import Loaded, load

LARGEST = 12  # nodes; more would not be readable
THRESHOLDS = tuple(round(0.05 * i, 2) for i in range(1, 20))


class Explorer(anywidget.AnyWidget):
    """Draw a graph, ask a model, see how many iterations each token takes.

    Traits, all settable from Python as well:
        nodes: size of the graph · graph: its number, 1, 2, 3 … · decider: which of `models` answers ·
        threshold: a token halts at the first depth d with F(d) ≥ threshold.
        scene (read only): what is on the screen, see `anira.explorer.scene`.

    Args:
        models: what the decider control offers, label → name of a shipped model or path of a model file,
            which run on the GPU if there is one, or a `Loaded` model, which runs where it is. All must
            have learned BREVO with the same node names.

    Raises:
        ValueError: models of another task, or that differ in their node names.
        TraitError: a number of nodes, graph number, decider or threshold that does not exist.
    """

    _esm = MODULE
    _css = STYLE

    nodes = traitlets.Int(6).tag(sync=True)
    graph = traitlets.Int(1).tag(sync=True)
    decider = traitlets.Unicode("online").tag(sync=True)
    threshold = traitlets.Float(0.5).tag(sync=True)
    options = traitlets.Dict().tag(sync=True)
    scene = traitlets.Dict(read_only=True).tag(sync=True)

    def __init__(self, models: Mapping[str, str | Path | Loaded] = MODELS, **choice):
        self._recorded = models is MODELS
        self._models = {label: model if isinstance(model, Loaded) else _load(model) for label, model in models.items()}
        for label, (_, task, _) in self._models.items():
            if task.name != "brevo":
                raise ValueError(f"The explorer draws graphs, and {label!r} was trained on {task.name!r}: give it BREVO models.")
        vocabularies = {task.node_names for _, task, _ in self._models.values()}
        if len(vocabularies) != 1:
            raise ValueError(f"The models must share their node names to answer the same graphs, received models with {sorted(vocabularies)} names.")

        self._task = next(iter(self._models.values())).task
        longest = min(model.config.max_length for model, _, _ in self._models.values())
        sizes = [n for n in range(3, min(LARGEST, self._task.node_names) + 1) if self._task.max_length(n) <= longest]
        trained = set.intersection(*(set(task.sizes) for _, task, _ in self._models.values()))
        self._shown = None
        super().__init__(
            options={"sizes": sizes, "trained": sorted(trained), "deciders": list(models), "thresholds": list(THRESHOLDS)},
            **({"decider": list(models)[-1]} | choice),
        )
        for label in models:  # compiles and warms up every model, so that the first move is fast
            self._solve(label)
        self._refresh()
        self.observe(self._refresh, ["nodes", "graph", "decider", "threshold"])

    @traitlets.validate("nodes")
    def _check_nodes(self, proposal):
        return self._one_of("nodes", proposal.value, self.options["sizes"])

    @traitlets.validate("decider")
    def _check_decider(self, proposal):
        return self._one_of("decider", proposal.value, self.options["deciders"])

    @traitlets.validate("graph")
    def _check_graph(self, proposal):
        if proposal.value < 1:
            raise traitlets.TraitError(f"graph counts from 1, received {proposal.value}.")
        return proposal.value

    @traitlets.validate("threshold")
    def _check_threshold(self, proposal):
        if not 0 < proposal.value <= 1:
            raise traitlets.TraitError(f"threshold is a probability above 0 and at most 1, received {proposal.value}.")
        return proposal.value

    def _one_of(self, name, value, known):
        if value not in known:
            raise traitlets.TraitError(f"{name} is one of {', '.join(map(str, known))}, received {value!r}.")
        return value

    def _refresh(self, change=None) -> None:
        choice = (self.nodes, self.graph, self.decider, self.threshold)
        if choice != self._shown:  # two traits that change together notify twice
            self._shown = choice
            self.set_trait("scene", self._solve(self.decider))

    def _solve(self, decider: str) -> dict:
        model, _, _ = self._models[decider]
        instance = instance_of(self._task, self.nodes, self.graph)
        choice = {"nodes": self.nodes, "graph": self.graph, "decider": decider, "threshold": self.threshold}
        return scene(model, self._task, instance, self.threshold) | {"choice": choice}

    def _repr_mimebundle_(self, **kwargs):
        data, metadata = super()._repr_mimebundle_(**kwargs)
        if self._recorded:  # a player of the shipped models would be a lie about others
            data["text/html"] = player(self.nodes, self.graph, self.decider, self.threshold)
        return data, metadata


def _load(name: str | Path) -> Loaded:
    loaded = load(name)
    loaded.model.to("cuda" if torch.cuda.is_available() else "cpu")
    return loaded


def explore(models: Mapping[str, str | Path | Loaded] = MODELS, **choice) -> Explorer:
    """The halting explorer: `explore()`, or `explore(nodes=8, decider="early")`; arguments as in `Explorer`."""
    return Explorer(models, **choice)
