"""Chapter 05-alignment."""

from tests.book.numbers.tables import (
    IN_WORDS,
    aligned,
    by_hops,
    depth_rises_early,
    hops_told,
    millions,
    most_important,
    need,
    parameters,
    regressed,
    row,
    rung,
    said,
    share_at,
    share_in_need,
    step_of_early,
    unsolved,
    written,
)

SURFACE = ("size", "emitted")
ADDED = "R² added by categories"

HELD = [
    ("gives an answer token more iterations, {}", lambda: [said(row("brevo-online-depth-rises"))]),
    ("and early about {} as many", lambda: [{True: "half"}[0.45 < depth_rises_early() < 0.55]]),
    ("{:.0f} % with early, {:.0f} % with online", lambda: [100 * need(decider, "more") for decider in ("early", "online")]),
    ("Each model has {} million parameters", lambda: [millions()]),
    ("early gives four iterations to about {:.0f} % of the tokens", lambda: [10 * round(10 * share_at("early", 4))]),
    ("online's depth rises by {:.2f} iterations with each node [{:.2f}, {:.2f}]", lambda: row("brevo-online-depth-rises")[["estimate", "low", "high"]]),
    ("and early's by {}", lambda: [said(row("brevo-early-depth-rises"))]),
    ("At our scale online's depth grows {} as fast as early's", lambda: [{True: "twice"}[0.45 < depth_rises_early() < 0.55]]),
    ("keeps its correlation for online ({})", lambda: [written(aligned("online", "dfs_depth", SURFACE)["estimate"], bare=True)]),
    ("for early nothing of it is left ({})", lambda: [written(aligned("early", "dfs_depth", SURFACE)["estimate"], bare=True)]),
    (
        "Their models are smaller still, with {:.2f}, {:.2f} and {:.2f} million",
        lambda: [parameters(model) / 1e6 for model in ("mano-online-tiny", "depo-online-minute", "lano-online-minute")],
    ),
    (
        "rises with the number of operators, by about {} iteration for each",
        lambda: [{True: "one"}[all(0.8 < row(f"mano-{decider}-depth-rises")["estimate"] < 1.2 for decider in ("early", "online"))]],
    ),
    ("expected depth with the number of hops is {}", lambda: [said(by_hops("online"), bare=True)]),
    ("Early's is {}", lambda: [said(by_hops("early"), bare=True)]),
    ("depending on the seed, {} to {} of the variance", lambda: [written(value, bare=True) for value in hops_told(0, 0)]),
    ("After two iterations at the latest it explains {} to {}", lambda: [written(value, bare=True) for value in hops_told(1, 2)]),
    ("brings online {:.2f} iterations where the token is read", lambda: [regressed("online", "frontier_size")["estimate"]]),
    ("deeper in the search brings it {:.2f}", lambda: [regressed("online", "dfs_depth", reading="predicted")["estimate"]]),
    ("Ours there is {}", lambda: [said(regressed("online", "dfs_depth"))]),
    ("the largest share is that of {} for early", lambda: [{"size": "size"}[most_important("early")]]),
    ("and that of the {} for online", lambda: [{"frontier_size": "frontier"}[most_important("online")]]),
    (
        "size explains {}, {} or {} of the variance for early",
        lambda: [written(regressed("early", "size", quantity)["estimate"], bare=True) for quantity in ("share", "left out", "alone")],
    ),
    (
        "that of the frontier, {}, with an interval from {} to {}",
        lambda: [written(value, bare=True) for value in regressed("online", "frontier_size", "share")[["estimate", "low", "high"]]],
    ),
    (
        "categories add about {:.2f} to R² for early, and {} for online",
        lambda: [regressed("early", "", ADDED)["estimate"], {True: "nothing"}[regressed("online", "", ADDED)["estimate"] < 0.005]],
    ),
    ("from three to four nodes is {} than the one", lambda: [{True: "larger"}[step_of_early(3) > step_of_early(7)]]),
    ("the gain of {:.3f} in R²", lambda: [regressed("early", "", ADDED)["estimate"]]),
    (
        "on average it is {:.1f} in the one of fixed depth, {:.1f} in early's and {:.1f} in online's",
        lambda: [need(decider, "needed") for decider in ("fixed", "early", "online")],
    ),
    (
        "Early spends {:.1f} iterations where {:.1f} are needed, and online {:.1f} where {:.1f} are",
        lambda: [need(decider, quantity) for decider in ("early", "online") for quantity in ("spent", "needed")],
    ),
    (
        "Of early's answer tokens {:.0f} % are given more than they need, of online's {:.0f} %",
        lambda: [100 * need(decider, "more") for decider in ("early", "online")],
    ),
    ("the same weight and has {:.1f} for early and {:.1f} for online", lambda: [rung("chosen", decider)["depth"] for decider in ("early", "online")]),
    ("The model of fixed depth needs {:.1f}", lambda: [need("fixed", "needed")]),
    (
        "with size is {} to {} times that with need",
        lambda: [IN_WORDS[times] for times in sorted(round(need(decider, "size") / need(decider, "need")) for decider in ("early", "online"))],
    ),
    (
        "Spending follows size ({} for early, {} for online) far more closely than need ({} and {})",
        lambda: [written(need(decider, quantity), bare=True) for quantity in ("size", "need") for decider in ("early", "online")],
    ),
    ("{} and {} are left of the correlation with need", lambda: [written(need(decider, "need beyond"), bare=True) for decider in ("early", "online")]),
    ("3 to 8 nodes, and the models {} million parameters", lambda: [millions()]),
    ("On all graphs the correlation is {}", lambda: [written(aligned("online", "frontier_size")["estimate"], bare=True)]),
    (
        "stronger there: {} where a token is predicted. But it rests on only {} graphs",
        lambda: [written(aligned("online", "frontier_size", wrong=True)["estimate"], bare=True), len(unsolved())],
    ),
    ("{} of them have seven or eight nodes", lambda: [{True: "nearly all"}[(unsolved()["size"] >= 7).mean() > 0.9]]),
    ("A share of {:.3f} needs a single iteration, and {:.3f} all six", lambda: share_in_need("early").reindex([1, 6], fill_value=0)),
    ("one token in {} needs a single iteration", lambda: [IN_WORDS[round(1 / share_in_need("fixed")[1])]]),
    ("a share of {:.3f} needs all six", lambda: [share_in_need("fixed")[6]]),
]

QUOTED = {
    "95 % intervals": "what intervals hold, everywhere",
    "The paper's coefficient of depth in the search is 0.30": "online's",
    "The paper's figure is 28 %": "its share of size in the variance of early's depth",
}
