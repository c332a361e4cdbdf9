"""Everything that a chapter claims: a sentence, what measures it, and what decides whether it holds.

    from anira.analysis.claims import CLAIMS, verdicts
    verdicts()                                   # a row for each claim and preset
    verdicts([CLAIMS["mano-early-one-slot"]])    # of some

A chapter writes the sentence by hand and links it to its row, `[Early goes by length](02-findings.ipynb#early-surface)`;
a test finds the links, and fails where a claim is unknown or no longer agrees. `Claim` says what a claim needs,
`measures` has what can be measured, `paper` and `findings` hold the claims.
"""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from statsmodels.stats.multitest import multipletests

from anira.analysis.claims import findings, paper
from anira.analysis.claims.claim import SEEDS, VERDICTS, Claim, Criterion, Measure, Missing, above, below, measure, near
from anira.analysis.claims.tables import Tables
from anira.analysis.intervals import Estimate, over_seeds
from anira.results import UnknownTable

__all__ = [
    "CLAIMS",
    "SEEDS",
    "VERDICTS",
    "Claim",
    "Criterion",
    "Measure",
    "Missing",
    "Tables",
    "above",
    "below",
    "by_id",
    "counted",
    "measure",
    "near",
    "verdicts",
]


def by_id(claims: Iterable[Claim]) -> dict[str, Claim]:
    """Claims by their ids; `ValueError` for an id that is there twice, or a claim that stands instead of none."""
    found: dict[str, Claim] = {}
    for claim in claims:
        if claim.id in found:
            raise ValueError(f"Two claims have the id {claim.id!r}.")
        found[claim.id] = claim
    for claim in found.values():
        if claim.instead_of and claim.instead_of not in found:
            raise ValueError(f"Claim {claim.id!r} stands instead of {claim.instead_of!r}, which there is not; a claim first declared stays.")
    return found


#: All claims by their ids, in the order in which they are listed: the paper's, then ours.
CLAIMS: dict[str, Claim] = by_id(replace(claim, part=part) for parts in (paper.PARTS, findings.PARTS) for part, claims in parts.items() for claim in claims)


def counted() -> list[Claim]:
    """The claims that count: all but those first declared that an amended one stands instead of."""
    replaced = {claim.instead_of for claim in CLAIMS.values()}
    return [claim for claim in CLAIMS.values() if claim.id not in replaced]


def verdicts(claims: Iterable[Claim] | None = None, *, folder: str | Path | None = None) -> pd.DataFrame:
    """One row for each claim and preset, with what the stored tables say of it; an untestable claim has one row.

    Args:
        claims: by default all.
        folder: of tables other than the package's, see `anira.results`.

    Returns:
        The columns

        - id, part, sentence, paper, otherwise, amended, instead_of: of the claim
        - amended_by: ids of the claims that stand instead of this one, with commas
        - holds: the criterion, in words
        - task, preset, and scale: task, preset and trained sizes in words
        - estimate, low, high, clusters, reason: over training seeds; reason also says why there is no verdict
        - verdict: one of `VERDICTS`
        - p: two-sided, of the verdict (see `Criterion.p`); of a claim with several presets the largest of theirs, since
          it holds where all its rows do. holm, fdr: the same corrected for the number of claims tested here (Holm;
          Benjamini and Hochberg). A claim counts once, whatever the number of its rows.

    Raises:
        FileNotFoundError, UnknownTable: a folder or a table that a claim is measured from is not there.
    """
    claims = list(CLAIMS.values() if claims is None else claims)
    rows: list[dict] = []
    tables: dict = {}
    amended = {claim.id: [other.id for other in claims if other.instead_of == claim.id] for claim in claims}
    for claim in claims:
        of_claim = {name: getattr(claim, name) for name in ("id", "part", "sentence", "paper", "otherwise", "amended", "instead_of")}
        of_claim |= {"amended_by": ", ".join(amended[claim.id]), "holds": str(claim.holds or "")}
        if claim.untestable:
            nothing = Estimate(np.nan, np.nan, np.nan, 0, claim.untestable)
            rows.append({**of_claim, "task": "", "preset": "", "scale": "", **nothing, "verdict": "not tested", "p": np.nan})
        for preset in claim.presets:
            key = (claim.task, preset)
            tables.setdefault(key, Tables(*key, folder))
            rows.append({**of_claim, "task": claim.task, "preset": preset, **_judge(claim, tables[key])})
    frame = pd.DataFrame(rows)
    return frame.assign(**_corrected(frame)) if len(frame) else frame


def _judge(claim: Claim, tables: Tables) -> dict:
    assert claim.measure is not None and claim.holds is not None
    try:
        scale = {"scale": tables.scale}
        values = claim.measure(tables)
    except UnknownTable as error:
        raise UnknownTable(f"Claim {claim.id!r} cannot be judged. {error}") from error
    except Missing as missing:
        return {**scale, **Estimate(np.nan, np.nan, np.nan, 0, str(missing)), "verdict": "not tested", "p": np.nan}
    estimate = over_seeds(values, bounds=claim.measure.bounds)
    reason = estimate.reason or (f"{len(values)} of {SEEDS} seeds" if len(values) < SEEDS else "")
    if reason:
        return {**scale, **replace(estimate, reason=reason), "verdict": "not tested", "p": np.nan}
    return {**scale, **estimate, "verdict": claim.holds.verdict(estimate), "p": claim.holds.p(values, claim.measure.bounds)}


def _corrected(frame: pd.DataFrame) -> dict[str, pd.Series]:
    """The columns p, holm and fdr: of claims, of which each counts once."""
    largest = frame.groupby("id")["p"].agg(lambda p: p.max(skipna=False))
    tested = largest.dropna()
    columns = {"p": frame["id"].map(largest)}
    for name, method in (("holm", "holm"), ("fdr", "fdr_bh")):
        corrected = pd.Series(multipletests(tested, method=method)[1] if len(tested) else [], index=tested.index, dtype=float)
        columns[name] = frame["id"].map(corrected)
    return columns
