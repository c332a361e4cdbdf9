"""The explorer as a notebook widget: every move of a control asks the model again.

The browser side is `explorer.mjs`. It asks by messages, `{"id", "ask": "answers" | "alone" | "problem", …}`, and is
answered by `{"id", "reply"}`; traits hold what is chosen, for Python to read and to set. The same cell also shows a player
(`anira.explorer.player`), which gives way to the widget where a kernel runs it, and comes alive by itself where none does.
"""

import json
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import cast
from uuid import uuid4
from zlib import crc32

import anywidget
import torch
import traitlets
from IPython.display import display

from anira.explorer.answers import alone, answer
from anira.explorer.player import MODULE, STYLE, notice, player
from anira.explorer.problems import MODELS, drawable, instance_of, kind_of, longest_answer, offered, options, pose, read, text_of
from anira.explorer.weights import pack
from anira.model.anira import Anira
from anira.zoo import Loaded, load

USUAL = {"graph": 8, "expression": 3}  # the size that shows if none is asked for; of another task the largest that it was trained on
# What shows if nothing is asked for: early gives all its tokens the same, online twice as much to the second node as to the last.
EXAMPLES = {"graph": "b-c.c-o.d-h.o-d.b-d.l-o.l-c.b-o*h", "expression": "x.2.-.-.0.2.4"}
CHOICE = ("nodes", "graph", "problem", "decider", "threshold")


class Explorer(anywidget.AnyWidget):
    """Draw a graph, ask models, see how many iterations each token takes. Made by `explore`.

    Traits, all settable from Python as well:
        nodes: size of the problem: nodes of a graph, operators of an expression, or what else a size of the task counts.
        graph: its number, 1, 2, 3 …
        problem: the text of a graph or expression of one's own, see `anira.explorer.problems`; empty to take number `graph`.
        decider: which of the models answers, by its label, or "all" for side by side.
        threshold: a token halts at the first depth d with F(d) ≥ threshold; None for each model's own rule.
    """

    _esm = MODULE
    _css = STYLE

    nodes = traitlets.Int().tag(sync=True)
    graph = traitlets.Int(1).tag(sync=True)
    problem = traitlets.Unicode("").tag(sync=True)
    decider = traitlets.Unicode("all").tag(sync=True)
    threshold = traitlets.Float(None, allow_none=True).tag(sync=True)
    options = traitlets.Dict().tag(sync=True)
    first = traitlets.Dict().tag(sync=True)

    def __init__(self, models: Mapping[str, Loaded], asked: str = "models", **choice):
        """asked: the first argument of the call that makes the same explorer."""
        self._models = dict(models)
        self._task = next(iter(self._models.values())).task
        offer = options(self._models) | {"id": uuid4().hex, "models_in_call": asked}
        kind = kind_of(self._task)
        nodes = min(offer["sizes"], key=lambda n: abs(n - USUAL.get(kind, max(self._task.sizes))))
        if not {"nodes", "graph", "problem"} & set(choice) and self._readable(EXAMPLES.get(kind, ""), offer["longest"]):
            choice["problem"] = offer["example"] = EXAMPLES[kind]
        choice = {"nodes": nodes, "decider": "all" if len(models) > 1 else next(iter(models))} | choice
        super().__init__(options=offer, **choice)
        for label in self._models:  # compiles and warms up every model, so that the first move is fast
            self._answers({"labels": [label], **self._question()})
        self.first = {"choice": {name: getattr(self, name) for name in CHOICE}, "problem": self._posed(), "answers": self.answers()}
        self.on_msg(self._heard)

    def _readable(self, text: str, longest: int) -> bool:
        """Whether the models can read this problem."""
        try:
            prompt = read(self._task, text)
        except ValueError:
            return False
        return len(prompt) + longest_answer(self._task, prompt) <= longest

    @traitlets.validate("nodes")
    def _check_nodes(self, proposal):
        return self._one_of("nodes", proposal.value, self.options["sizes"])

    @traitlets.validate("decider")
    def _check_decider(self, proposal):
        return self._one_of("decider", proposal.value, [*self._models, "all"])

    @traitlets.validate("graph")
    def _check_graph(self, proposal):
        if proposal.value < 1:
            raise traitlets.TraitError(f"graph counts from 1, received {proposal.value}.")
        return proposal.value

    @traitlets.validate("threshold")
    def _check_threshold(self, proposal):
        if proposal.value is not None and not 0 < proposal.value <= 1:
            raise traitlets.TraitError(f"threshold is a probability above 0 and at most 1, or None for the models' own rules, received {proposal.value}.")
        return proposal.value

    @traitlets.validate("problem")
    def _check_problem(self, proposal):
        if proposal.value:
            try:
                read(self._task, proposal.value)
            except ValueError as error:
                raise traitlets.TraitError(str(error)) from None
        return proposal.value

    def _one_of(self, name, value, known):
        if value not in known:
            raise traitlets.TraitError(f"{name} is one of {', '.join(map(str, known))}, received {value!r}.")
        return value

    def _posed(self) -> str | dict:
        return self.problem or pose(self._task, instance_of(self._task, self.nodes, self.graph))

    @property
    def text(self) -> str:
        """The text of the problem that is shown; of another task than graphs and expressions its tokens."""
        posed = self._posed()
        return posed if isinstance(posed, str) else " ".join(posed["prompt"])

    def _question(self) -> dict:
        posed = self._posed()
        return {"prompt": read(self._task, posed)} if isinstance(posed, str) else {"prompt": posed["prompt"], "draft": posed["answer"]}

    def answers(self) -> dict[str, dict]:
        """Label → packed answer (`anira.explorer.answers`) to the problem that is shown, `alone` included."""
        question = self._question()
        prompt = question["prompt"]
        labels = list(self._models) if self.decider == "all" else [self.decider]
        found = self._answers({"labels": labels, "rule": self.threshold, **question})
        for label, packed in found.items():
            model, task, _ = self._models[label]
            packed["alone"] = alone(model, task, prompt, packed["answer"], packed["depths"])
        return found

    def _answers(self, question: dict) -> dict[str, dict]:
        prompt, draft = question["prompt"], question.get("draft", ())
        longest = longest_answer(self._task, prompt, draft)
        found = {}
        for label in question["labels"]:
            model, task, _ = self._models[label]
            given = {int(position): depth for position, depth in question.get("given", {}).get(label, {}).items()}
            found[label] = answer(model, task, prompt, rule=question.get("rule"), given=given, draft=draft, longest=longest)
        return found

    def _heard(self, widget, content, buffers) -> None:
        """Answer a message of the browser; what goes wrong is said there, in one sentence."""
        try:
            reply = self._reply(content)
        except (ValueError, RuntimeError) as error:
            reply = {"error": str(error)}
        self.send({"id": content["id"], "reply": reply})

    def _reply(self, content: dict):
        if content["ask"] == "answers":
            return self._answers(content)
        if content["ask"] == "problem":
            return pose(self._task, instance_of(self._task, content["size"], content["number"]))
        return {label: alone(*self._models[label][:2], content["prompt"], content["answers"][label], content["depths"][label]) for label in content["labels"]}

    def page(self) -> str:
        """HTML of the same explorer without a kernel, or of a sentence that says why the page cannot run one of the models."""
        names = {label: _name(f"{loaded.task.name}-{label}", loaded.model) for label, loaded in self._models.items()}
        weights = {}
        for label, name in names.items():
            try:
                packed = pack(name, *self._models[label][:2])
            except ValueError as error:
                return notice(self.options["id"], f"This explorer needs a running kernel, for {label}: {error}. Run the cell that made it.")
            weights[name] = json.dumps(packed, separators=(",", ":"), ensure_ascii=False)
        first = {**self.first, "answers": {label: {**packed, "milliseconds": None} for label, packed in self.first["answers"].items()}}
        offer = {**self.options, "models": names, "problems": offered(self._task, self.options["sizes"]), "drawable": drawable(self._task)}
        return player(offer, first, weights)

    def _ipython_display_(self) -> None:
        # Two outputs: JupyterLab shows of one output only the widget, and where no kernel knows it, only that it is missing.
        display({"text/html": self.page(), "text/plain": repr(self)}, raw=True)
        data, metadata = cast(tuple[dict, dict], self._repr_mimebundle_())
        display(data | {"text/plain": ""}, metadata=metadata, raw=True)


def _name(label: str, model: Anira) -> str:
    """A name for the weights, the same for the same label and weights."""
    checksum = 0
    for tensor in model.state_dict().values():
        checksum = crc32(tensor.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes(), checksum)
    return f"{re.sub('[^0-9A-Za-z]+', '-', label)}-{checksum:08x}"


def _load(model: str | Path | Loaded, device: str | None) -> Loaded:
    loaded = model if isinstance(model, Loaded) else load(model)
    wanted = device or (None if isinstance(model, Loaded) else "cuda" if torch.cuda.is_available() else "cpu")
    if wanted is not None:
        try:
            loaded.model.to(wanted)
            torch.zeros(1, device=wanted) + 1
        except (RuntimeError, AssertionError) as error:
            if device is not None:
                raise ValueError(f"The model does not run on {device!r}: {error}") from error
            warnings.warn(f"There is a GPU, and it cannot be used ({error}): the explorer computes on the CPU.", stacklevel=4)
            loaded.model.to("cpu")
    return loaded


def explore(
    models: str | Mapping[str, str | Path | Loaded] = "brevo",
    *,
    device: str | None = None,
    edges: list[tuple[str, str]] | None = None,
    query: str | None = None,
    **choice,
) -> Explorer:
    """The halting explorer: `explore()`, `explore(nodes=8, decider="early")`, `explore("mano")`.

    Args:
        models: "brevo", "mano", "depo" or "lano" for the models that ship, or label → name of a shipped model, path of a model
            file, or `Loaded` model, all of the same task and vocabulary. Graphs and expressions are drawn; of any other task,
            one of your own among them, the tokens show.
        device: where the models run, "cpu" or "cuda"; by default the GPU if there is one, and `Loaded` models where they are.
        edges, query: a graph of one's own, pairs of node names and the node that is asked about.
        choice: nodes, graph, problem, decider, threshold, see `Explorer`.

    A cell that shows it is saved with its models, 1.6 MB each of the shipped BREVO ones, and so comes alive without a kernel. Built pages share them.

    Raises:
        TypeError: an argument that does not exist, models that are no mapping.
        ValueError: no models, models of another task or of different vocabularies, or of one that takes too few tokens.
        TraitError: a number of nodes, graph number, problem, decider or threshold that does not exist.
    """
    unknown = set(choice) - set(CHOICE)
    if unknown:
        raise TypeError(f"explore() has no argument {min(unknown)!r}. It takes models, device, edges, query, {', '.join(CHOICE)}.")
    asked = "models"
    if isinstance(models, str) and models in MODELS:
        asked = "" if models == "brevo" else f'"{models}"'
        models = MODELS[models]
    if not isinstance(models, Mapping):
        raise TypeError(f'models is one of {", ".join(MODELS)}, or a mapping such as {{"mine": "brevo-online-tiny"}}, received {models!r}.')
    if not models:
        raise ValueError("At least one model is needed to explore, received none.")
    if "all" in models:
        raise ValueError('"all" stands for all models side by side: give the model another label.')
    loaded = {str(label): _load(model, device) for label, model in models.items()}
    if len({(one.task.name, *one.task.vocabulary.names) for one in loaded.values()}) != 1:
        raise ValueError(
            f"The models must share task and vocabulary to answer the same questions, received {', '.join(f'{label}: {one.task}' for label, one in loaded.items())}."
        )
    if edges is not None:
        if query is None:
            raise ValueError('A graph of one\'s own needs the node that is asked about: explore(edges=[("a", "f")], query="f").')
        choice["problem"] = text_of(edges, query)
    return Explorer(loaded, asked, **choice)
