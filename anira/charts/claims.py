"""Claims and findings as tables for readers: HTML in which each claim has an address of its own.

They show what `anira.claims()` says, and judge nothing.
"""

import html
import re
from collections.abc import Iterable, Mapping

import altair as alt
import pandas as pd
from IPython.display import HTML

from anira.analysis.claims.findings import Finding
from anira.analysis.intervals import Estimate
from anira.charts.figure import figure
from anira.charts.tables import START

CELL = f" style='{START}'"
WHOLE = f" style='{START}; white-space:nowrap'"  # of a cell that stays on one line
SIGNS = {"agrees": "✓ agrees", "differs": "✗ differs", "no effect": "○ no effect", "undecided": "? undecided", "not tested": "– not tested"}


def claims(table: pd.DataFrame) -> HTML:
    """Rows of `anira.claims()`, those of one part of the list folded behind its name and its verdicts.

    A claim's first row carries its id as an anchor. Each says how it could have come out otherwise; one that a later
    claim stands instead of is folded away below it.
    """
    seen: set[str] = set()
    parts = []
    for part in _parts(table):
        rows = table[table["part"] == part]
        kept, replaced = rows[rows["amended_by"] == ""], rows[rows["amended_by"] != ""]
        body = _table(kept, seen, f"Claims, {part}") if len(kept) else ""
        if len(replaced):
            body += _fold(f"{len(replaced)} rows first declared, asked again elsewhere", _table(replaced, seen, f"First declared, {part}"))
        name = f"<strong>{html.escape(str(part).capitalize())}</strong>"
        parts.append(_fold(f"{name}: {_verdicts(kept) or 'asked again elsewhere'}", body))
    return HTML("".join(parts))


def findings(table: pd.DataFrame, asked: Mapping[str, Finding], chapters: Mapping[str, str]) -> HTML:
    """The paper's findings, one row each: what it says, whether it was found here at the largest scale at which it was asked, and in which chapter.

    Found: all its claims agree; in part: some do; not found: none does, and some differ; not settled: none of these. The
    claims are folded behind that word and the number of the claim that decides. `chapters`: by finding, the notebook that
    shows it, "06-timing.ipynb".
    """
    rows = []
    for letter, finding in asked.items():
        seen = table[table["id"].isin(finding.claims) & (table["verdict"] != "not tested")]
        largest = seen.drop_duplicates("id")  # presets come from the largest scale down
        lines = [f"{SIGNS[row.verdict]}: {html.escape(row.sentence)} {_number(row)} <small>({html.escape(row.scale)})</small>" for row in largest.itertuples()]
        scales = " and ".join(f"<span style='white-space:nowrap'>{html.escape(scale)}</span>" for scale in dict.fromkeys(largest["scale"]))
        numbers = [f": {SIGNS[row.verdict][0]} {_number(row)} {html.escape(finding.number)}" for row in largest.itertuples() if row.id == finding.decides]
        found = f"<strong>{_found(set(largest['verdict']))}</strong>{''.join(numbers)}"
        here = _fold(f"{found} <small>({_verdicts(largest)}; {scales})</small>", "<br>".join(lines))
        link = f"<a href='{chapters[letter]}'>{int(chapters[letter][:2])}</a>"
        rows.append(f"<tr><th scope='row'>({letter})</th><td{CELL}>{html.escape(finding.sentence)}</td><td{CELL}>{here}</td><td{CELL}>{link}</td></tr>")
    return HTML(_region("The paper's findings", f"{_head('', 'the paper says', 'here', 'chapter')}{''.join(rows)}"))


def _parts(table: pd.DataFrame) -> list[str]:
    """The parts of the list, those of one topic ("decision timing", "decision timing, asked again") together: first those of which something still stands."""
    parts, standing = list(dict.fromkeys(table["part"])), set(table.loc[table["amended_by"] == "", "part"])
    topics = [part.partition(",")[0] for part in parts]
    return sorted(parts, key=lambda part: (topics.index(part.partition(",")[0]), part not in standing))


def _verdicts(rows: pd.DataFrame) -> str:
    """How many claims have which verdict: "2 agree, 1 undecided"."""
    counted = counts(rows).iloc[0]
    return ", ".join(f"{n} {verdict.removesuffix('s') if n > 1 and verdict in ('agrees', 'differs') else verdict}" for verdict, n in counted.items() if n)


def _fold(summary: str, body: str) -> str:
    return f"<details><summary>{summary}</summary>{body}</details>"


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
        seeds = f"{row.clusters} seed{'s' if row.clusters > 1 else ''}" if row.clusters else ""
        small = [row.scale, seeds, f"agrees if {row.holds}" if row.holds else "", row.reason]
        notes = [f"Otherwise: {row.otherwise}." if row.otherwise else "", f"Amended after the fact: {row.amended}." if row.amended else ""]
        text = f"{html.escape(row.sentence)}<br><small>{html.escape(' · '.join(filter(None, small)))}<br>{html.escape(' '.join(filter(None, notes)))}</small>"
        cells = f"<td{WHOLE}>{SIGNS[row.verdict]}</td><td{CELL}>{text}</td><td{CELL}>{html.escape(_signed(row.paper))}</td><td{WHOLE}>{_number(row)}</td>"
        lines.append(f"<tr{anchor}>{cells}</tr>")
    return _region(name, f"{_head('verdict', 'claim', 'paper', 'here')}{''.join(lines)}")


def _head(*names: str) -> str:
    return "<tr>" + "".join(f"<th scope='col'{CELL}>{name}</th>" if name else "<td></td>" for name in names) + "</tr>"


def _signed(text: str) -> str:
    """With a minus sign before what is negative."""
    return re.sub(r"-(?=\d)", "−", text)


def _number(row) -> str:
    return "" if pd.isna(row.estimate) else f"{Estimate(row.estimate, row.low, row.high, row.clusters, row.reason):.2f}"


def counts(table: pd.DataFrame) -> pd.DataFrame:
    """How many claims, not rows, have each verdict: of those that no later claim stands instead of, at the largest scale."""
    standing: Iterable = table[table["amended_by"] == ""].drop_duplicates("id")["verdict"]
    return pd.Series(list(standing)).value_counts().reindex(SIGNS, fill_value=0).rename_axis("verdict").rename("claims").to_frame().T


def twice(first: pd.DataFrame, now: pd.DataFrame) -> pd.DataFrame:
    """How often each verdict of `anira.results("claims", "first")`, a row each, became which of `anira.claims()`, a column each."""
    both = first.merge(now, on=["id", "preset"], suffixes=("_first", ""))
    counted = pd.crosstab(both["verdict_first"], both["verdict"])
    names = [name for name in SIGNS if name in counted.index or name in counted]
    return counted.reindex(index=names, columns=names, fill_value=0).rename_axis(index="first", columns=None)


def side_by_side(first: pd.DataFrame, now: pd.DataFrame, ids: Iterable[str]) -> HTML:
    """Some claims, in the order of `ids`, with the estimate of the first campaign at its largest scale, and that of now at the same."""
    rows = []
    for name in ids:
        before = next(first[first["id"] == name].itertuples())
        row = now[(now["id"] == name) & (now["preset"] == before.preset)].iloc[0]
        numbers = "".join(f"<td{WHOLE}>{text}</td>" for text in (_number(before), _number(row)))
        rows.append(f"<tr><td{CELL}>{html.escape(row['sentence'])}</td>{numbers}</tr>")
    return HTML(_region("Claims, measured twice", f"{_head('claim', 'first campaign', 'now')}{''.join(rows)}"))


VERDICT_COLORS = {"agrees": "#0072B2", "differs": "#D55E00", "no effect": "#8C6D31", "undecided": "#2F97D6", "not tested": "#8A8A8A"}


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
            y=alt.Y("part:N", sort=_parts(table), title=None, axis=alt.Axis(labelLimit=320)),
            color=alt.Color(
                "verdict:N",
                sort=order,
                scale=alt.Scale(domain=order, range=list(VERDICT_COLORS.values())),
                title=None,
                legend=alt.Legend(orient="top", columns=1),  # on a phone the bars are no wider than one entry
            ),
            order="rank:Q",
            tooltip=["part:N", "verdict:N", "claims:Q"],
        )
        .properties(
            width=480, height=alt.Step(24), description="How many claims of each topic agree, differ, show no effect, are undecided or were not tested."
        )
    )
