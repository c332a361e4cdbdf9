"""Tables of claims: every claim has one anchor, and what they show is what the verdicts say."""

import re

import pytest

from anira.analysis.claims import CLAIMS, verdicts
from anira.analysis.claims.findings import FINDINGS
from anira.charts import claims as tables


@pytest.fixture(scope="module")
def some():
    asked = ["early-surface", "online-content", "brevo-early-hub-out-degree", "brevo-early-dependents-read", "gsm-harder-splits"]
    return verdicts([CLAIMS[id] for id in asked]).drop_duplicates("id", keep="last").reset_index(drop=True)  # at one scale


def test_every_claim_has_one_anchor_and_its_interval(some):
    text = tables.claims(some).data
    assert sorted(re.findall(r"<tr id='([^']+)'>", text)) == sorted(set(some["id"]))
    row = some.set_index("id").loc["early-surface"]
    assert f"{row['estimate']:.2f} [{row['low']:.2f}, {row['high']:.2f}]" in text


def test_rows_are_folded_behind_the_verdicts_of_their_part(some):
    text = tables.claims(some.assign(part="all", verdict=["agrees", "agrees", "differs", "undecided", "not tested"], amended_by=""))
    assert re.findall(r"<summary>(.+?)</summary>", text.data) == ["<strong>All</strong>: 2 agree, 1 differs, 1 undecided, 1 not tested"]


def test_what_is_negative_has_a_minus_sign(some):
    row = some.iloc[[0]].assign(estimate=-0.5, low=-0.75, high=-0.25, paper="-0.264")
    text = tables.claims(row).data
    assert "−0.50 [−0.75, −0.25]" in text and ">−0.264</td>" in text


def test_a_claim_asked_again_is_folded_and_not_counted(some):
    assert "rows first declared" in tables.claims(some).data
    assert "brevo-early-hub-out-degree" in set(some.loc[some["amended_by"] != "", "id"])
    assert int(tables.counts(some).sum(axis=1).iloc[0]) == some["id"].nunique() - some.loc[some["amended_by"] != "", "id"].nunique()


def test_the_findings_show_the_verdicts_of_their_claims(some):
    text = tables.findings(some, {"f": FINDINGS["f"]}, {"f": "06-timing.ipynb"}).data
    assert text.count("✓ agrees") == 2 and "online-by-state" not in text
    assert "<small>(2 agree; <span style='white-space:nowrap'>BREVO tiny, N = 3–8</span>)</small>" in text and "<a href='06-timing.ipynb'>6</a>" in text


def test_the_line_of_a_finding_carries_the_number_of_the_claim_that_decides(some):
    finding = FINDINGS["f"]
    row = some.set_index("id").loc[finding.decides]
    number = f"{row['estimate']:.2f} [{row['low']:.2f}, {row['high']:.2f}]"
    (line,) = re.findall(r"<summary>(.+?)</summary>", tables.findings(some, {"f": finding}, {"f": "06-timing.ipynb"}).data)
    assert line.startswith(f"<strong>found</strong>: ✓ {number} {finding.number} <small>")
    without = tables.findings(some[some["id"] != finding.decides], {"f": finding}, {"f": "06-timing.ipynb"}).data
    assert "<strong>found</strong> <small>" in without


def test_whether_a_finding_was_found_follows_from_the_verdicts_of_its_claims(some):
    def said(**verdicts):
        named = {id.replace("_", "-"): verdict for id, verdict in verdicts.items()}
        judged = some.assign(verdict=[named.get(id, "not tested") for id in some["id"]])
        return re.search(r"<strong>(.+?)</strong>", tables.findings(judged, {"f": FINDINGS["f"]}, {"f": "06-timing.ipynb"}).data)[1]

    assert said(early_surface="agrees", online_content="agrees") == "found"
    assert said(early_surface="agrees", online_content="differs") == "found in part"
    assert said(early_surface="undecided", online_content="differs") == "not found"
    assert said(early_surface="undecided") == "not settled"
    assert said() == "not asked"


def test_of_a_topic_what_stands_comes_before_what_was_asked_again_elsewhere(some):
    parts = {"brevo-early-hub-out-degree": "timing", "gsm-harder-splits": "language", "brevo-early-dependents-read": "timing, asked again"}
    chosen = some[some["id"].isin(parts)].sort_values("id", key=lambda ids: ids.map(list(parts).index))
    text = tables.claims(chosen.assign(part=chosen["id"].map(parts))).data
    assert re.findall(r"<summary><strong>(.+?)</strong>", text) == ["Timing, asked again", "Timing", "Language"]


def test_every_standing_claim_is_drawn_once(some):
    chart = tables.verdicts(some).to_dict()
    rows = next(iter(chart["datasets"].values()))
    assert sum(row["claims"] for row in rows) == int(tables.counts(some).sum(axis=1).iloc[0])
