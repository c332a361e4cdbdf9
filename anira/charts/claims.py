"""Claims and findings as tables for readers: HTML in which each claim has an address of its own.

They show what `anira.claims()` says, and judge nothing.
"""

import html
from collections.abc import Iterable, Mapping

import altair as alt
import pandas as pd
from IPython.display import HTML

from anira.analysis.claims.findings import Finding
from anira.analysis.intervals import Estimate
from anira.charts.figure import figure

SIGNS = {"agrees": "✓ agrees", "differs": "✗ differs", "no effect": "○ no effect", "undecided": "? undecided", "not tested": "– not tested"}


def claims(table: pd.DataFrame) -> HTML:
    """Rows of `anira.claims()`, those of one part of the list below its heading.

    A claim's first row carries its id as an anchor. Each says how it could have come out otherwise; one that a later
    claim stands instead of is folded away below it.
    """
    seen: set[str] = set()
    parts = []
    for part, rows in table.groupby("part", sort=False):
        kept, replaced = rows[rows["amended_by"] == ""], rows[rows["amended_by"] != ""]
        body = _table(kept, seen, f"Claims, {part}") if len(kept) else ""
        if len(replaced):
            body += f"<details><summary>{len(replaced)} rows first declared, asked again elsewhere</summary>{_table(replaced, seen, f'First declared, {part}')}</details>"
        parts.append(f"<h3>{html.escape(str(part).capitalize())}</h3>{body}")
    return HTML("".join(parts))


def findings(table: pd.DataFrame, asked: Mapping[str, Finding]) -> HTML:
    """The paper's findings, one row each: what it says, whether it was found here, and by what, at the largest scale at which it was asked.

    Found: all its claims agree; in part: some do; not found: none does, and some differ; not settled: none of these.
    """
    rows = []
    for letter, finding in asked.items():
        seen = table[table["id"].isin(finding.claims) & (table["verdict"] != "not tested")]
        largest = seen.drop_duplicates("id")  # presets come from the largest scale down
        lines = [f"{SIGNS[row.verdict]}: {html.escape(row.sentence)} {_number(row)} <small>({html.escape(row.scale)})</small>" for row in largest.itertuples()]
        lines = [f"<strong>{_found(set(largest['verdict']))}</strong>", *lines]
        rows.append(f"<tr><th scope='row'>({letter})</th><td>{html.escape(finding.sentence)}</td><td>{'<br>'.join(lines)}</td></tr>")
    return HTML(_region("The paper's findings", f"{_head('', 'the paper says', 'here')}{''.join(rows)}"))


def _found(verdicts: set[str]) -> str:
    if not verdicts:
        return "not asked"
    if "agrees" in verdicts:
        return "found" if verdicts == {"agrees"} else "found in part"
    return "not found" if verdicts & {"differs", "no effect"} else "not settled"


def _region(name: str, rows: str) -> str:
    return f"<div tabindex='0' role='region' aria-label='{html.escape(name, quote=True)}' style='overflow-x:auto'><table>{rows}</table></div>"


def _table(rows: pd.DataFrame, seen: set[str], name: str) -> str:
    lines = []
    for row in rows.itertuples():
        anchor = "" if row.id in seen else f" id='{row.id}'"
        seen.add(row.id)
        small = [row.scale, f"{row.clusters} seeds" if row.clusters else "", f"agrees if {row.holds}" if row.holds else "", row.reason]
        notes = [f"Otherwise: {row.otherwise}." if row.otherwise else "", f"Amended after the fact: {row.amended}." if row.amended else ""]
        text = f"{html.escape(row.sentence)}<br><small>{html.escape(' · '.join(filter(None, small)))}<br>{html.escape(' '.join(filter(None, notes)))}</small>"
        lines.append(f"<tr{anchor}><td>{SIGNS[row.verdict]}</td><td>{text}</td><td>{html.escape(row.paper)}</td><td>{_number(row)}</td></tr>")
    return _region(name, f"{_head('verdict', 'claim', 'paper', 'here [95 %]')}{''.join(lines)}")


def _head(*names: str) -> str:
    return "<tr>" + "".join(f"<th scope='col'>{name}</th>" if name else "<td></td>" for name in names) + "</tr>"


def _number(row) -> str:
    return "" if pd.isna(row.estimate) else f"{Estimate(row.estimate, row.low, row.high, row.clusters, row.reason):.2f}"


def counts(table: pd.DataFrame) -> pd.DataFrame:
    """How many claims, not rows, have each verdict: of those that no later claim stands instead of, at the largest scale."""
    standing: Iterable = table[table["amended_by"] == ""].drop_duplicates("id")["verdict"]
    return pd.Series(list(standing)).value_counts().reindex(SIGNS, fill_value=0).rename_axis("verdict").rename("claims").to_frame().T


VERDICT_COLORS = {"agrees": "#0072B2", "differs": "#D55E00", "no effect": "#8C6D31", "undecided": "#56B4D3", "not tested": "#8A8A8A"}


@figure
def verdicts(table: pd.DataFrame) -> alt.Chart:
    """How many claims of each topic have which verdict; rows of `anira.claims()`, counted as `counts` does."""
    standing = table[table["amended_by"] == ""].drop_duplicates("id")
    counted = standing.value_counts(["part", "verdict"]).rename("claims").reset_index()
    order = list(VERDICT_COLORS)
    return (
        alt.Chart(counted.assign(rank=counted["verdict"].map(order.index)))
        .mark_bar()
        .encode(
            x=alt.X("claims:Q", title="claims", axis=alt.Axis(tickMinStep=1)),
            y=alt.Y("part:N", sort=list(table["part"].unique()), title=None, axis=alt.Axis(labelLimit=320)),
            color=alt.Color(
                "verdict:N", sort=order, scale=alt.Scale(domain=order, range=list(VERDICT_COLORS.values())), title=None, legend=alt.Legend(orient="top")
            ),
            order="rank:Q",
            tooltip=["part:N", "verdict:N", "claims:Q"],
        )
        .properties(
            width=480, height=alt.Step(24), description="How many claims of each topic agree, differ, show no effect, are undecided or were not tested."
        )
    )
