"""Chapter 11-tasks."""

from functools import cache

import numpy as np
import pandas as pd

import anira
from anira.analysis.alignment import alignment, alignment_over_seeds
from anira.analysis.claims.paper import ADAPTIVE
from anira.analysis.dynamics import last_records
from anira.analysis.frames import by_model
from anira.analysis.intervals import Estimate, over_seeds
from anira.analysis.surface import alignment_within_cells, with_last_tokens
from tests.book.numbers.tables import one, row, said, written

WHERE_READ = "own_expected_depth"


def one_slot(preset: str) -> Estimate:
    """Iterations that early gives more to operators with one slot left than to those with two, over seeds."""
    asked = anira.results("question", f"mano-{preset}").query("decider == 'early'").drop_duplicates("run_seed")
    return over_seeds(asked["one_slot"])


@cache
def strings(preset: str) -> pd.DataFrame:
    """The tokens of LANO's strings."""
    return anira.results("traces", f"lano-{preset}")


def lengths(preset: str) -> list[int]:
    """How many tokens the shortest and the longest of them have, `<eos>` not counted."""
    tokens = strings(preset).groupby(["model", "instance"]).size() - 1
    return [tokens.min(), tokens.max()]


def by_position() -> list[str]:
    """The rank correlation of the position with the partial parses added, in short strings and in long ones, which are the same for all models."""
    first = (strings(preset).query("decider == 'early' and run_seed == 0") for preset in ("minute", "long"))
    return [written(rows[["position", "expansion"]].corr("spearman").iloc[0, 1], bare=True) for rows in first]


@cache
def ends() -> pd.DataFrame:
    """How the models of long strings are after training: a row for each seed, decider and size."""
    return last_records(anira.results("training", "lano-long"))


def final(decider: str, value: str) -> Estimate:
    """A value of theirs in strings of five levels, over seeds."""
    return over_seeds(ends().query("decider == @decider and size == 5").set_index("run_seed")[value])


def same(texts: list[str]) -> list[str]:
    """The one text that several numbers have in print; all of them where they differ, so that a row that fails shows it."""
    return [" or ".join(dict.fromkeys(texts))]


@cache
def _parsed(preset: str) -> pd.DataFrame:
    return alignment_over_seeds(strings(preset), ["expansion", "multiplications"], {"": ["position"]})


def parsed(decider: str, feature: str, preset: str = "long", reading: str = "read") -> pd.Series:
    """The correlation of E[d] with what the parser counts, the position held."""
    return one(_parsed(preset), decider=decider, feature=feature, reading=reading)


def in_long_and_short(feature: str) -> list[str]:
    """That of online in long strings and in short ones."""
    return [written(parsed("online", feature, preset)["estimate"], bare=True) for preset in ("long", "minute")]


@cache
def _within(last: int) -> pd.DataFrame:
    if last:
        rows = with_last_tokens(strings("long"), last)
        each = by_model(rows, alignment_within_cells, ["expansion"], cells=["position", "last_tokens"], depth=WHERE_READ)
    else:
        each = by_model(strings("long"), alignment, ["expansion"], depth=WHERE_READ, held=["position"], draws=0).query("method == 'spearman'")
    return each.pivot(index="run_seed", columns="decider", values="estimate")


def within(decider: str, last: int) -> str:
    """In long strings, that with the partial parses added among tokens with the same position and the same `last` ones, as text has it."""
    each = _within(last)
    values = each["online"] - each["early"] if decider == "online − early" else each[decider]
    return said(pd.Series({**over_seeds(values, bounds=(-1, 1))}), bare=True)


def of_pilot(problem: str, size: int) -> float:
    """Percent of the instances of a problem of CLRS-Text that online solves."""
    return 100 * one(anira.results("pilot", "clrs-short"), decider="online", problem=problem, size=size)["exact_match"]


def of_place(problem: str, size: int, number: int) -> float:
    """Mean iterations that online takes on a number of a list of CLRS-Text, by its place."""
    return one(anira.results("pilot", "clrs-places"), decider="online", problem=problem, size=size, number=number)["depth"]


def when_sorting() -> list[float]:
    """The least and the most iterations that online takes on a number of a list that it sorts."""
    depth = anira.results("pilot", "clrs-places").query("decider == 'online' and problem == 'sorting'")["depth"]
    return [depth.min(), depth.max()]


HELD = [
    (
        "Online sorts {:.0f} % of the lists of five numbers and {:.0f} % of the lists of ten, and of seven numbers {:.0f} %.",
        lambda: [of_pilot("sorting", size) for size in (5, 10, 7)],
    ),
    ("The smallest of seven numbers it finds in {:.0f} %.", lambda: [of_pilot("minimum", 7)]),
    (
        "online takes {:.1f} iterations on the second number and {:.1f} on the tenth, in a list of sixteen",
        lambda: [of_place("minimum", 16, number) for number in (2, 10)],
    ),
    ("every number gets between {:.1f} and {:.1f}", when_sorting),
    (
        "the fourth number gets {:.1f} iterations in a list of four and {:.1f} in a list of sixteen",
        lambda: [of_place("binary search", size, 4) for size in (4, 16)],
    ),
    ("gives {:.2f} [{:.2f}, {:.2f}] iterations more for each operator", lambda: row("mano-early-depth-rises")[["estimate", "low", "high"]]),
    ("online {:.2f} [{:.2f}, {:.2f}]. On DEPO", lambda: row("mano-online-depth-rises")[["estimate", "low", "high"]]),
    ("correlation of {} on strings of {} to {} tokens", lambda: [said(row("lano-online-expansion-read"), bare=True), *lengths("long")]),
    ("Early's is {}, which three seeds leave open", lambda: [said(row("lano-early-expansion-read"), bare=True)]),
    ("operators with one slot left: it gives them {:.2f} iterations more", lambda: [one_slot("minute")]),
    ("of it gives them {:.2f} more", lambda: [one_slot("tiny")]),
    ("have two or three levels and {} to {} tokens", lambda: lengths("minute")),
    ("those asked here, {} to {} tokens", lambda: lengths("long")),
    ("with the position is {}. In long strings it is {}.", by_position),
    ("their loss is {} nats", lambda: same([written(final(decider, "cross_entropy").value) for decider in ADAPTIVE])),
    ("nobody can get below {:.2f}", lambda: [strings("long")["entropy"].mean()]),
    ("among the three symbols costs {:.2f}", lambda: [np.log(3)]),
    ("equally often, {} of the time", lambda: same([written(final(decider, "token_accuracy").value, 3, bare=True) for decider in ADAPTIVE])),
    ("Early spends {:.2f} iterations a token on them and online {:.2f}", lambda: [final(decider, "depth") for decider in ADAPTIVE]),
    (
        "are higher than on short ones, {} against {} and {} against {}",
        lambda: [*in_long_and_short("expansion"), *in_long_and_short("multiplications")],
    ),
    ("though just so on long strings: {}", lambda: [said(parsed("early", "multiplications"), bare=True)]),
    ("online's correlation with the partial parses is higher by {}", lambda: [within("online − early", 0)]),
    ("partial parses is {} and online's is {}. With", lambda: [within(decider, 3) for decider in ADAPTIVE]),
    ("last four tokens they are {} and {}, a difference of {}", lambda: [within(decider, 4) for decider in (*ADAPTIVE, "online − early")]),
    ("partial parses that it will add is {}", lambda: [said(parsed("online", "expansion", reading="predicted"), bare=True)]),
]

QUOTED = {
    "95 % intervals": "what intervals hold, everywhere",
    "part 4.1": "of a series of papers",
}
