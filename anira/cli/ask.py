"""Commands that ask trained models, and give a table with a row for each of many things."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace

import pandas as pd
import torch

from anira.analysis.question import depth_on_operators, operator_effects
from anira.cli.arguments import file, sizes, takes_machine, whole
from anira.evaluation.distractors import distract
from anira.evaluation.generalize import family_name, generalize
from anira.evaluation.interventions import intervene
from anira.evaluation.policies import ladder
from anira.evaluation.probes import GIVEN, probe
from anira.evaluation.readout import readouts
from anira.evaluation.stopping import frontier
from anira.evaluation.trace import trace
from anira.results.make import identity, label, put
from anira.tasks.graphs import FAMILIES
from anira.zoo import Loaded, load, names

NAMES = [family.__name__.lower() for family in FAMILIES]


@dataclass(frozen=True)
class Question:
    """What is asked of each model: its rows, how many instances of each size by default, and what a row is."""

    rows: Callable[[Loaded, argparse.Namespace], pd.DataFrame]
    instances: int
    row: str


def _asked(loaded: Loaded, arguments: argparse.Namespace) -> tuple:
    """The model, its task, sizes, instances of each, seed."""
    return loaded.model, loaded.task, arguments.sizes or loaded.task.sizes, arguments.instances, arguments.seed


def _evaluate(loaded: Loaded, arguments: argparse.Namespace) -> pd.DataFrame:
    model, task, sizes, instances, seed = _asked(loaded, arguments)
    families = NAMES if arguments.families == ["all"] else arguments.families
    if family_name(task) == "none":
        families = []
    return generalize(model, task, instances, seed, sizes=sizes, families=families, max_depths=arguments.max_depths)


def _stopping(loaded: Loaded, arguments: argparse.Namespace) -> pd.DataFrame:
    model, task, sizes, instances, seed = _asked(loaded, arguments)
    return frontier(model, task, instances, seed, sizes=sizes)


def _intervene(loaded: Loaded, arguments: argparse.Namespace) -> pd.DataFrame:
    if loaded.model.config.untied:
        raise ValueError("there is nothing to intervene on: its layers are untied, and each is used once.")
    return intervene(*_asked(loaded, arguments))


def _ladder(loaded: Loaded, arguments: argparse.Namespace) -> pd.DataFrame:
    model, task, sizes, instances, seed = _asked(loaded, arguments)
    return ladder(model, task, instances, seed, sizes)


def _probe(loaded: Loaded, arguments: argparse.Namespace) -> pd.DataFrame:
    model, task, sizes, instances, seed = _asked(loaded, arguments)
    return probe(model, replace(task, sizes=tuple(sizes)), instances * len(sizes), seed, given=arguments.given).round(5)


def _question(loaded: Loaded, arguments: argparse.Namespace) -> pd.DataFrame:
    if "slots_left" not in loaded.task.features:
        raise ValueError(f"the question is about the operators of MANO, and it is a model of {loaded.task.name.upper()}.")
    traced = trace(*_asked(loaded, arguments), part="prompt")
    return depth_on_operators(traced).assign(**operator_effects(traced))


QUESTIONS = {
    "evaluate": Question(_evaluate, 1000, "a size, on a graph family, with a largest depth"),
    "trace": Question(lambda loaded, arguments: trace(*_asked(loaded, arguments)).round(4), 300, "an answer token; all models get the same instances"),
    "stopping": Question(_stopping, 300, "a stopping rule, or a depth for all tokens, at a size"),
    "intervene": Question(_intervene, 100, "an instance under shifted, fixed or shuffled depths"),
    "readouts": Question(lambda loaded, arguments: readouts(*_asked(loaded, arguments)).round(4), 100, "an answer token and an iteration"),
    "ladder": Question(_ladder, 200, "a policy at a size; all policies get the same instances"),
    "distract": Question(
        lambda loaded, arguments: distract(*_asked(loaded, arguments)).round(4), 200, "an answer token, of a BREVO graph as it is, with distractors, or larger"
    ),
    "probe": Question(_probe, 1000, "a feature of answer tokens after so many iterations; all sizes are mixed"),
    "question": Question(_question, 500, "operators by slots left and subtree completed"),
}


def declare(name: str, command: argparse.ArgumentParser) -> None:
    """The arguments of one of these commands."""
    question = QUESTIONS[name]
    command.description = f"{command.description} Prints a CSV table, of which a row is {question.row}."
    command.epilog = f"Models that ship with the package: {', '.join(names())}."
    command.add_argument("models", nargs="+", metavar="model", help="a shipped model's name, a model file, or the folder of a run")
    command.add_argument("--sizes", type=sizes, help="such as 3-12 (default: the sizes the model was trained on)")
    command.add_argument("--instances", type=whole(1), default=question.instances, metavar="N", help="of each size (default: %(default)s)")
    command.add_argument("--seed", type=whole(0), default=2026, help="of the instances (default: %(default)s)")
    command.add_argument(
        "--out", type=file, help="put the rows into this table instead, in place of what it says of these models; compressed if its name ends in .xz"
    )
    takes_machine(command)
    if name == "evaluate":
        choices = ["all", *NAMES]
        command.add_argument("--families", nargs="+", default=[], choices=choices, metavar="FAMILY", help=f"besides the one trained on: {', '.join(choices)}")
        command.add_argument(
            "--max-depths", nargs="+", default=[], type=whole(1), metavar="D", help="largest depths besides the one trained with, where a decider permits"
        )
    if name == "probe":
        command.add_argument("--given", nargs="*", choices=GIVEN, default=GIVEN, help="what the probe is told besides the state (default: size place)")
    command.set_defaults(call=_ask, question=question)


def _ask(arguments: argparse.Namespace) -> None:
    """Print the rows that each model gives, with columns that say which model it is, or put them into a table."""
    torch.set_num_threads(arguments.threads)
    labels = [label(name) for name in arguments.models]
    if twice := sorted({one for one in labels if labels.count(one) > 1}):
        raise ValueError(f"{', '.join(twice)} is given twice, and a table tells models apart by that name.")
    tables = []
    for one, name in zip(labels, arguments.models, strict=True):
        loaded = load(name)
        loaded = loaded._replace(model=loaded.model.to(arguments.device))
        _check_sizes(one, loaded, arguments.sizes)
        try:
            table = arguments.question.rows(loaded, arguments)
        except ValueError as error:
            raise ValueError(f"{one}: {error}") from error
        columns = {**identity(loaded.header, one), "task": loaded.task.name, "weights": loaded.header.get("checksum", "unknown")[:12]}
        tables.append(table.assign(**columns)[[*columns, *table.columns]])
    table = pd.concat(tables).sort_values("model", kind="stable")
    if arguments.out:
        put(table, arguments.out)
    else:
        print(table.to_csv(index=False), end="")


def _check_sizes(name: str, loaded: Loaded, asked: range | None) -> None:
    task = loaded.task
    smallest = task.graphs.smallest if hasattr(task, "graphs") else 1
    if asked is not None and asked[0] < smallest:
        raise ValueError(f"{name}: {task.name.upper()} has no instances below size {smallest}, asked for sizes {asked[0]} to {asked[-1]}.")
