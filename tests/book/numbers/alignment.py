"""Chapter 05-alignment."""

from pathlib import Path

import numpy as np
import pandas as pd

import anira
from anira.analysis.claims.paper import PROXIES
from anira.analysis.intervals import over_seeds
from tests.book.numbers.tables import (
    IN_WORDS,
    a_node,
    aligned,
    by_hops,
    depth_rises_early,
    hops_told,
    interval,
    millions,
    most_important,
    need,
    need_by_seed,
    parameters,
    read_strings,
    regressed,
    rises_with_size,
    row,
    rung,
    said,
    share_at,
    share_in_need,
    solved_by_all,
    step_with_nodes,
    unsolved,
    written,
)

MODELS = Path(__file__).parents[3] / "book" / "models"
DECIDERS = ("early", "online")
SURFACE = ("size", "emitted")
OTHERS = ("dependents", "frontier-size", "newly-enabled")
ADDED = "R² added by categories"


def in_percent(share: pd.Series) -> list[str]:
    """A share and its interval as text has them in per cent."""
    return [written(100 * share["estimate"], 1), interval(100 * share["low"], 100 * share["high"], 1)]


def size_ahead(decider: str) -> pd.Series:
    """By how much the correlation of E[d] with size is larger than that with need, in each model."""
    return need_by_seed(decider, "size") - need_by_seed(decider, "need")


def exceptions() -> int:
    """How often a token of the answer shown gets more iterations than the one before it, after the node that is found deepest."""
    model, task, _ = anira.load("brevo-online-tiny")
    answer = anira.trace(model, task, sizes=[8], n=9, seed=3).query("instance == 8")
    deepest = int(answer["dfs_depth"].argmax())
    assert answer["depth"].argmax() == deepest  # "the node that the search finds deepest gets the most"
    return int((answer["depth"].iloc[deepest:].diff() > 0).sum())


def follows_paper(feature: str) -> list[str]:
    """Whether depth of early and of online goes with what the parser does in long strings as the paper found."""
    rows = [read_strings("long", decider, feature) for decider in DECIDERS]
    signs = [np.sign(figure) for figure in PROXIES[feature]]
    return [
        "undecided" if row["low"] < 0 < row["high"] else "as in the paper" if row["estimate"] * sign > 0 else "the other sign"
        for row, sign in zip(rows, signs, strict=True)
    ]


HELD = [
    ("gives an answer token more iterations, {}", lambda: [said(row("brevo-online-depth-rises"))]),
    ("and early, as trained here, about {} as many", lambda: [{True: "a third"}[0.3 < depth_rises_early() < 0.4]]),
    ("{:.1f} % with early, {:.1f} % with online", lambda: [100 * need(decider, "more") for decider in DECIDERS]),
    ("iterations fall from token to token, with {} exception", lambda: [IN_WORDS[exceptions()]]),
    ("Each model has {} million parameters", lambda: [millions()]),
    ("early gives four iterations to about {:.0f} % of the tokens", lambda: [5 * round(20 * share_at("early", 4))]),
    ("online's depth rises by {:.2f} iterations with each node [{:.2f}, {:.2f}]", lambda: row("brevo-online-depth-rises")[["estimate", "low", "high"]]),
    ("and early's by {}", lambda: [said(row("brevo-early-depth-rises"))]),
    (
        "bring it to {:.2f} a node, and a price from the first step to {:.2f}",
        lambda: [a_node("early", schedule) for schedule in ("longer", "constant")],
    ),
    ("At our scale online's depth grows {} as fast as early's", lambda: [{True: "nearly three times"}[2.6 < 1 / depth_rises_early() < 3]]),
    ("keeps much of its correlation for online ({})", lambda: [written(aligned("online", "dfs_depth", SURFACE)["estimate"], bare=True)]),
    ("for early nothing of it is left ({})", lambda: [written(aligned("early", "dfs_depth", SURFACE)["estimate"], bare=True)]),
    (
        "Their models are smaller still, with {:.2f}, {:.2f} and {:.2f} million",
        lambda: [parameters(model) / 1e6 for model in ("mano-online-tiny", "depo-online-minute", "lano-online-minute")],
    ),
    ("larger ones, of {:.2f} million", lambda: [parameters(str(MODELS / "lano-online-long-0")) / 1e6]),
    (
        "rises with the number of operators, by about {} iteration for each",
        lambda: [{True: "one"}[all(0.8 < row(f"mano-{decider}-depth-rises")["estimate"] < 1.2 for decider in DECIDERS)]],
    ),
    ("expected depth with the number of hops is {}", lambda: [said(by_hops("online"), bare=True)]),
    ("Early's is {}", lambda: [said(by_hops("early"), bare=True)]),
    ("depending on the seed, {} to {} of the variance", lambda: [written(value, bare=True) for value in hops_told(0, 0)]),
    ("After two iterations at the latest it explains {} to {}", lambda: [written(value, bare=True) for value in hops_told(1, 2)]),
    (
        "the largest correlation is that with the {}, {} for early and {} for online",
        lambda: [
            *{max(("position", *PROXIES), key=lambda feature: abs(read_strings("minute", decider, feature)["estimate"])) for decider in DECIDERS},
            *(written(read_strings("minute", decider, "position")["estimate"], bare=True) for decider in DECIDERS),
        ],
    ),
    (
        "online's depth rises with the {} and with the {}, as in the paper",
        lambda: [
            {"as in the paper": words}[follows_paper(feature)[1]]
            for feature, words in (("expansion", "partial parses added"), ("multiplications", "multiplications"))
        ],
    ),
    ("The third, with the additions, is {}", lambda: [{"undecided": "not found"}[follows_paper("additions")[1]]]),
    ("It has {}, with both deciders", lambda: [{("the other sign",) * 2: "the other sign"}[tuple(follows_paper("convergence"))]]),
    (
        "Early's other three are {}",
        lambda: [" or ".join(sorted({follows_paper(feature)[0] for feature in ("expansion", "additions", "multiplications")}))],
    ),
    ("that all {} models solve", lambda: [{12: "twelve"}[solved_by_all()[1]]]),
    ("online's depth is larger by {:.2f} iterations where the token is read", lambda: [regressed("online", "frontier_size")["estimate"]]),
    ("deeper in the search it is larger by {:.2f}", lambda: [regressed("online", "dfs_depth", reading="predicted")["estimate"]]),
    ("Ours there is {}", lambda: [said(row("brevo-online-dfs-depth-read"))]),
    (
        "goes with depth in the search, {} (",
        lambda: [said(aligned("online", "dfs_depth", SURFACE, reading="read"), bare=True)],
    ),
    (
        "Early's coefficient of it is {} zero",
        lambda: [{True: "below"}[regressed("early", "dfs_depth")["high"] < 0]],
    ),
    (
        "and the {} coefficients of the three other difficulties have the paper's signs",
        lambda: [IN_WORDS[sum(row(f"brevo-{decider}-{other}-read")["verdict"] == "agrees" for decider in DECIDERS for other in OTHERS)]],
    ),
    ("the largest share is that of {} for early", lambda: [{"size": "size"}[most_important("early")]]),
    ("and that of the {} for online", lambda: [{"frontier_size": "frontier"}[most_important("online")]]),
    (
        "size explains {}, {} or {} of the variance for early",
        lambda: [written(regressed("early", "size", quantity)["estimate"], bare=True) for quantity in ("share", "left out", "alone")],
    ),
    ("online's largest share is that of the frontier, {}", lambda: [said(regressed("online", "frontier_size", "share"), bare=True)]),
    ("Early's is that of size, {}", lambda: [said(regressed("early", "size", "share"), bare=True)]),
    (
        "this part is smaller than for early, by {}",
        lambda: [said(-row("online-importances-robust")[["estimate", "high", "low"]].set_axis(["estimate", "low", "high"]), bare=True)],
    ),
    (
        "R² is about as large as in the paper, which has {} for early and {} for online",
        lambda: [{"agrees": figure}[row(f"brevo-{decider}-r-squared-read")["verdict"]] for decider, figure in (("early", ".73"), ("online", ".71"))],
    ),
    ("along a straight line: categories add {:.3f} to R²", lambda: [row("online-straight")["estimate"]]),
    ("For early they add {}", lambda: [said(row("early-bent"), 3)]),
    ("it is {} {}, which we take", lambda: [{"undecided": "not clearly"}[row("early-bent")["verdict"]], row("early-bent")["holds"]]),
    (
        "Where tokens are predicted both gains are {}",
        lambda: [{True: "larger"}[all(regressed(decider, "", ADDED, "predicted")["low"] > regressed(decider, "", ADDED)["estimate"] for decider in DECIDERS)]],
    ),
    (
        "from three to four nodes is {} than the one",
        lambda: [{True: "larger"}[all(step_with_nodes(decider, 3) > step_with_nodes(decider, 7) for decider in DECIDERS)]],
    ),
    (
        "With size, online's spending rises {} than its need; early's rises {} faster",
        lambda: [{True: "faster", False: "no"}[rises_with_size(decider, "spent") > rises_with_size(decider, "needed")] for decider in ("online", "early")],
    ),
    (
        "on average it is {:.1f} in those of fixed depth, {:.1f} in early's and {:.1f} in online's",
        lambda: [need(decider, "needed") for decider in ("fixed", "early", "online")],
    ),
    (
        "Early spends {:.1f} iterations where {:.1f} are needed, and online {:.1f} where {:.1f} are",
        lambda: [need(decider, quantity) for decider in DECIDERS for quantity in ("spent", "needed")],
    ),
    (
        "Of early's answer tokens {} % {} are given more than they need, of online's {} % {}",
        lambda: [text for decider in DECIDERS for text in in_percent(row(f"{decider}-more-than-needed"))],
    ),
    ("the same weight and has {:.1f} for online", lambda: [rung("chosen", "online")["depth"]]),
    ("The models of fixed depth need {:.1f}", lambda: [need("fixed", "needed")]),
    (
        "early's correlation with size is the {} one",
        lambda: [{True: "larger"}[need("early", "size") > need("early", "need")]],
    ),
    ("the difference of the two correlations is {}", lambda: [said(row("early-size-not-need"), bare=True)]),
    ("For online it is {}", lambda: [said(row("online-size-not-need"), bare=True)]),
    ("{} of the three online models follow size more closely, by more than .2", lambda: [IN_WORDS[sum(size_ahead("online") > 0.2)].capitalize()]),
    ("and {} follows both alike", lambda: [IN_WORDS[sum(size_ahead("online").abs() < 0.01)]]),
    ("{} is left of early's correlation with need", lambda: [said(row("early-need-beyond-surface"), bare=True)]),
    ("and {} of online's", lambda: [said(row("online-need-beyond-surface"), bare=True)]),
    (
        "{} online model keeps more of it than any early one",
        lambda: [{True: "Every"}[need_by_seed("online", "need beyond").min() > need_by_seed("early", "need beyond").max()]],
    ),
    (
        "do not settle this difference either, {}",
        lambda: [said(pd.Series({**over_seeds(need_by_seed("online", "need beyond") - need_by_seed("early", "need beyond"), bounds=(-2, 2))}), bare=True)],
    ),
    ("3 to 8 nodes, and the models {} million parameters", lambda: [millions()]),
    ("On all graphs the correlation is {}", lambda: [written(aligned("online", "frontier_size")["estimate"], bare=True)]),
    (
        "as strong there: {} where a token is predicted. But it rests on only {} different graphs",
        lambda: [written(aligned("online", "frontier_size", wrong=True)["estimate"], bare=True), len(unsolved())],
    ),
    ("{} of them have seven or eight nodes", lambda: [{True: "most"}[0.7 < (unsolved()["size"] >= 7).mean() < 0.9]]),
    ("A share of {:.3f} needs a single iteration, and {:.3f} all six", lambda: share_in_need("early").reindex([1, 6], fill_value=0)),
    ("one token in {} needs a single iteration", lambda: [IN_WORDS[round(1 / share_in_need("fixed")[1])]]),
    ("a share of {:.3f} needs all six", lambda: [share_in_need("fixed")[6]]),
]

QUOTED = {
    "95 % intervals": "what intervals hold, everywhere",
    "Its coefficient of depth in the search is 0.30": "online's",
    "The paper's figure is 28 %": "its share of size in the variance of early's depth",
}
