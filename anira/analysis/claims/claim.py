"""What a claim is: a sentence, a measure, and a criterion that was declared with it.

A *measure* gives one number a training seed from the stored tables of a task and preset. A *criterion* turns the
interval over seeds into a verdict:

- agrees: the whole interval meets the criterion
- differs: none of it does
- no effect: the interval lies within the smallest effect of interest around the bound, on whichever side
- undecided: part of it meets the criterion
- not tested: fewer than three seeds, an undefined number, or a claim that cannot be tested here; the reason says which
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial, wraps
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from anira.analysis.intervals import UNBOUNDED, Estimate, in_print, over_seeds, p_above

if TYPE_CHECKING:
    from anira.analysis.claims.tables import Tables

SEEDS = 3  # the fewest for a verdict
VERDICTS = ("agrees", "differs", "no effect", "undecided", "not tested")


class Missing(Exception):
    """A table does not hold the models that a measure is about; the message says which."""


@dataclass(frozen=True)
class Measure:
    """One number a training seed, all of which lie within `bounds`; called with `Tables`."""

    of: "Callable[[Tables], pd.Series]"
    bounds: tuple[float, float] = UNBOUNDED

    def __call__(self, tables: "Tables") -> pd.Series:
        return self.of(tables)


def measure(bounds: tuple[float, float] = UNBOUNDED) -> Callable[[Callable[..., pd.Series]], Callable[..., Measure]]:
    """Turns a function of tables and parameters, which returns one number a seed, into one of the parameters that returns a `Measure`.

    >>> @measure(bounds=(0, 1))
    ... def exact_match(tables, decider):
    ...     return tables.evaluation.query("decider == @decider").groupby("run_seed")["exact_match"].mean()
    >>> exact_match("early").bounds
    (0, 1)
    """

    def named(function: Callable[..., pd.Series]) -> Callable[..., Measure]:
        @wraps(function)
        def of(*parameters: object, **options: object) -> Measure:
            def ask(tables: "Tables") -> pd.Series:
                return function(tables, *parameters, **options)

            return Measure(ask, bounds)

        return of

    return named


@dataclass(frozen=True)
class Criterion:
    """That a number lies between two bounds, one of which may be infinite.

    smallest: with one bound, the smallest effect of interest: an interval that lies within it of the bound is no effect.
    """

    low: float = -np.inf
    high: float = np.inf
    smallest: float = 0.0

    def verdict(self, estimate: Estimate) -> str:
        """What an interval says: one of `VERDICTS` but the last.

        >>> criterion = above(0, smallest=0.1)
        >>> [criterion.verdict(Estimate(0, *ends, 3)) for ends in ((0.1, 0.4), (-0.2, -0.1), (0.01, 0.05), (-0.1, 0.5))]
        ['agrees', 'differs', 'no effect', 'undecided']
        """
        bound = self._bound
        if bound is not None and self.smallest and bound - self.smallest < estimate.low and estimate.high < bound + self.smallest:
            return "no effect"
        if estimate.low >= self.low and estimate.high <= self.high:
            return "agrees"
        return "differs" if estimate.high < self.low or estimate.low > self.high else "undecided"

    def p(self, values: pd.Series, bounds: tuple[float, float]) -> float:
        """The p of the verdict, two-sided: how far the level could be lowered with the verdict still the same; of an undecided one, that of the nearest.

        It is 0.05 where a bound of the interval touches that of the criterion.
        """
        estimate = over_seeds(values, bounds=bounds)
        verdict, over = self.verdict(estimate), partial(p_above, values, bounds=bounds)
        bound = self._bound
        if bound is not None and verdict == "no effect":
            return min(2 * max(over(bound - self.smallest), 1 - over(bound + self.smallest)), 1.0)
        if bound is not None:
            return 2 * min(over(bound), 1 - over(bound))
        inside, outside = max(over(self.low), 1 - over(self.high)), min(1 - over(self.low), over(self.high))
        return min(2 * {"agrees": inside, "differs": outside}.get(verdict, min(inside, outside)), 1.0)

    @property
    def _bound(self) -> float | None:
        """The only bound, or None where there are two."""
        return self.high if np.isinf(self.low) else self.low if np.isinf(self.high) else None

    def __str__(self) -> str:
        small = f", by {self.smallest:g} at least" if self.smallest else ""
        low, high = in_print(f"{self.low:g}"), in_print(f"{self.high:g}")
        if np.isinf(self.high):
            return f"above {low}{small}"
        return f"below {high}{small}" if np.isinf(self.low) else f"{low} to {high}"


def above(bound: float, smallest: float = 0.0) -> Criterion:
    """More than `bound`; effects smaller than `smallest` are none."""
    return Criterion(low=bound, smallest=smallest)


def below(bound: float, smallest: float = 0.0) -> Criterion:
    """Less than `bound`; effects smaller than `smallest` are none."""
    return Criterion(high=bound, smallest=smallest)


def near(value: float, margin: float) -> Criterion:
    """Within `margin` of a value."""
    return Criterion(round(value - margin, 6), round(value + margin, 6))


@dataclass(frozen=True)
class Claim:
    """One sentence, and what decides whether it holds.

    id: what chapters link to; words of a-z and 0-9 with hyphens.
    sentence: written by hand, for a reader.
    measure: one number a seed.
    holds: the criterion, declared with the sentence.
    otherwise: how it could have come out, if the sentence were wrong.
    task, presets: of the tables it is measured from; a row for each preset.
    part: the heading under which it is listed.
    paper: the paper's figure or words, where it is a claim of the paper.
    amended: why it was added after the numbers were known; instead_of is then the id of the claim first declared,
        which stays as it was.
    untestable: why it cannot be tested here; such a claim has neither measure nor criterion.
    """

    id: str
    sentence: str
    measure: Measure | None = None
    holds: Criterion | None = None
    otherwise: str = ""
    task: str = ""
    presets: tuple[str, ...] = ()
    part: str = ""
    paper: str = ""
    amended: str = ""
    instead_of: str = ""
    untestable: str = field(default="")

    def __post_init__(self):
        if not self.id or not self.id.replace("-", "").isalnum() or not self.id.isascii() or self.id != self.id.lower():
            raise ValueError(f"The id of a claim is words of a-z and 0-9 with hyphens, received {self.id!r}.")
        declared = (self.measure is not None, self.holds is not None, bool(self.task), bool(self.presets), bool(self.otherwise))
        if any(declared) if self.untestable else not all(declared):
            raise ValueError(
                f"Claim {self.id!r} needs a measure, a criterion, how it could come out otherwise, a task and presets, or a reason why it is untestable."
            )
        if bool(self.amended) != bool(self.instead_of):
            raise ValueError(f"Claim {self.id!r}: an amended claim says why (amended) and instead of which (instead_of).")
