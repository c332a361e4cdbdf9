"""Chapter 06-timing."""

from tests.book.numbers.tables import (
    IN_WORDS,
    added,
    answer_exchanged,
    content_by_seed,
    correlation_of,
    count_of_cells,
    deeper_found,
    exchanges,
    explained,
    explained_in_larger,
    explained_on_schedule,
    graphs_spoiled,
    interval,
    lengthened,
    listed,
    lost_by_shuffling,
    made_up,
    millions,
    row,
    said,
    share_by_model,
    shuffled,
    solved_by_all,
    told,
    two_exchanged,
    written,
)

SHUFFLED = "shuffled in the instance"
LOST = f"{SHUFFLED} − chosen"


def right(graph: str) -> list[str]:
    """Exact match of early and online with nodes added."""
    return [written(added(decider, graph, "exact match")["estimate"], bare=True) for decider in ("early", "online")]


def range_of_content(decider: str, digits: int) -> list[str]:
    """The least and the greatest share of content among the seeds of a decider."""
    return [written(value, digits, bare=True) for value in (content_by_seed(decider).min(), content_by_seed(decider).max())]


def points_lost(size: int) -> str:
    """Points of exact match that online loses at a size, with their interval."""
    lost = shuffled("online", LOST, size)
    return f"{written(-100 * lost['estimate'], 1)} {interval(-100 * lost['high'], -100 * lost['low'], 1)}"


def apart_by_points() -> list[int]:
    """By how many points of exact match online's two lines are apart from five nodes on, the least and the most; early's are less apart than the least."""
    lost, of_early = ([-100 * shuffled(decider, LOST, size)["estimate"] for size in (5, 6, 7, 8)] for decider in ("online", "early"))
    assert max(of_early) < min(lost)
    return [round(min(lost)), round(max(lost))]


HELD = [
    ("a good part of the rest, {:.0f} % [{:.0f}, {:.0f}]", lambda: 100 * explained("online", "content")[["estimate", "low", "high"]].astype(float)),
    ("bring early {} of the rise that", lambda: [said(added("early", "dead ends", "share"))]),
    ("a larger graph brings, and online {} of it", lambda: [said(added("online", "dead ends", "share"))]),
    ("and brings online {} of that rise", lambda: [said(added("online", "apart", "share"))]),
    ("with {} models of each decider agrees", lambda: [IN_WORDS[len(share_by_model("dead ends"))]]),
    ("with the preset , {} training seeds of each decider", lambda: [IN_WORDS[explained("early", "content")["clusters"]]]),
    ("on the {:,} graphs that all {} of them solve", lambda: [solved_by_all()[0], {12: "twelve"}[solved_by_all()[1]]]),
    ("The models have {} million parameters", lambda: [millions()]),
    ("shows one of about {}. The question", lambda: [{100: "a hundred"}[round(count_of_cells(), -2)]]),
    (
        "for the rule without search depth, content explains {} of the rest; for the one with it, {}",
        lambda: [{True: "nothing"}[made_up() < 0.005], {True: "three quarters"}[0.7 < made_up("dfs_depth") < 0.8]],
    ),
    (
        "explain most of early's depth, {}, and content explains {} of the rest",
        lambda: [said(explained("early", quantity), digits, bare=True) for quantity, digits in (("surface", 2), ("content", 3))],
    ),
    ("For online the two shares are {} and {}", lambda: [said(explained("online", quantity), bare=True) for quantity in ("surface", "content")]),
    ("the difference is {}. The seeds", lambda: [said(explained("online − early", "content"), bare=True)]),
    (
        "Early's shares of content lie between {} and {}, and online's between {} and {}",
        lambda: [*range_of_content("early", 3), *range_of_content("online", 2)],
    ),
    (
        "up to twelve nodes, {} seeds of each decider, content explains {} of the rest for early and {} for online",
        lambda: [
            IN_WORDS[explained_in_larger("early", "content")["clusters"]],
            *(said(explained_in_larger(decider, "content"), bare=True) for decider in ("early", "online")),
        ],
    ),
    (
        "as in the paper, content explains {} of the rest for early, {} seeds, and {} for online, one seed",
        lambda: [
            said(explained_on_schedule("early", "constant"), bare=True),
            IN_WORDS[explained_on_schedule("early", "constant")["clusters"]],
            written(explained_on_schedule("online", "constant")["estimate"], bare=True),
        ],
    ),
    (
        "twice as many steps after that phase it explains {} for early, {} seeds, and {} for online, {} seeds",
        lambda: [
            *(said(early := explained_on_schedule("early", "longer"), bare=True), IN_WORDS[early["clusters"]]),
            *(said(online := explained_on_schedule("online", "longer"), bare=True), IN_WORDS[online["clusters"]]),
        ],
    ),
    ("for search depth, {} iterations a step", lambda: [said(explained("early", "coefficient", "dfs_depth"), 3, bare=True)]),
    (
        "gives {} of an iteration a step, {}, and",
        lambda: [
            {True: "over a quarter"}[0.25 < explained("online", "coefficient", "dfs_depth")["estimate"] < 0.3],
            said(explained("online", "coefficient", "dfs_depth"), bare=True),
        ],
    ),
    ("{} for each node on the frontier", lambda: [said(explained("online", "coefficient", "frontier_size"), bare=True)]),
    ("the shares of dead ends, {:.2f} and {:.2f}", lambda: [added(decider, "dead ends", "share")["estimate"] for decider in ("early", "online")]),
    ("dead ends do most of what a larger graph does: {} of the rise", lambda: [said(added("early", "dead ends", "share"), bare=True)]),
    (
        "For online they do less: {}. The difference is {}",
        lambda: [said(added("online", "dead ends", "share"), bare=True), said(row("online-distracted-less"), bare=True)],
    ),
    ("exact match {} for early and {} for online", lambda: right("dead ends")),
    (
        "Online's rises by {} of what a larger graph brings",
        lambda: [{True: "little more than a third"}[1 / 3 < added("online", "dead ends", "share")["estimate"] < 0.4]],
    ),
    ("goes by the length of the prompt: by {} of its rise", lambda: [said(added("early", "apart", "share"), bare=True)]),
    (
        "Online's depth rises by {} of its rise in a larger graph, in all {} models by more than with dead ends",
        lambda: [
            said(added("online", "apart", "share"), bare=True),
            IN_WORDS[(share_by_model("apart")["online"] > share_by_model("dead ends")["online"]).sum()],
        ],
    ),
    ("with a graph apart: exact match is {} for early and {} for online", lambda: right("apart")),
    (
        "At eight nodes online falls from {} to {}, and early from {} to {}",
        lambda: [written(shuffled(decider, what)["estimate"], 3, bare=True) for decider in ("online", "early") for what in ("chosen", SHUFFLED)],
    ),
    (
        "All {} online models lose at this size, by {} percentage points",
        lambda: [IN_WORDS[len(lost_by_shuffling("online"))], listed(written(points, 0) for points in lost_by_shuffling("online"))],
    ),
    ("from five nodes on, by {} to {} points", lambda: [IN_WORDS[points] for points in apart_by_points()]),
    ("from {:.1f} points lost to {:.1f} gained", lambda: [-100 * shuffled("online", LOST)["low"], 100 * shuffled("online", LOST)["high"]]),
    ("on the side of a loss, {} and {} points", lambda: [points_lost(6), points_lost(7)]),
    (
        "Of the three early models, one loses {} points at eight nodes, one loses {}, and one gains {}",
        lambda: (lambda lost: [written(lost[2], 0), IN_WORDS[round(lost[1])], written(-lost[0], 0)])(lost_by_shuffling("early")),
    ),
    (
        "at eight nodes the difference is {} points",
        lambda: [said(100 * row("online-loses-more-by-shuffling")[["estimate", "low", "high"]].astype(float), 1)],
    ),
    ("online gives {} iterations to the first node of the answer and {} to the second", lambda: two_exchanged()["depth"][:2]),
    ("which lost iterations, is {} right", lambda: [{(True, False): "no longer"}[tuple(two_exchanged().loc[1, ["right", "right_exchanged"]])]]),
    ("and it {} out", lambda: [{True: "leaves"}[set(two_exchanged()["token"]) - set(answer_exchanged()) == {"m"}]]),
    ("Of {} such exchanges in online's answers, {} made the answer wrong", lambda: exchanges("online")),
    ("of {} in early's, {} did, all of them in {} answers", lambda: [*exchanges("early"), IN_WORDS[graphs_spoiled("early")]]),
    (
        "differ by one iteration, {1} of {0} exchanges did harm; where they differ by more, {3} of {2}",
        lambda: [*exchanges("online", 1, 1), *exchanges("online", 2)],
    ),
    ("In these answers of early, {} two depths differ by more than one", lambda: [{0: "no"}[exchanges("early", 2)[0]]]),
    ("with an R² of {}", lambda: [written(told("early", "expected_depth", 0), bare=True)]),
    (
        "before the first iteration, {}. After two iterations R² is {}, and after three {}",
        lambda: [written(told("online", "expected_depth", d), bare=True) for d in (0, 2, 3)],
    ),
    ("{} in early's model and {} in online's", lambda: [written(told(decider, "edges", 0), bare=True) for decider in ("early", "online")]),
    (
        "The search depth of a node hardly can: {} and {}",
        lambda: [written(told(decider, "dfs_depth", 0), bare=True) for decider in ("early", "online")],
    ),
    ("After three iterations it can in part, {} and {}", lambda: [written(told(decider, "dfs_depth", 3), bare=True) for decider in ("early", "online")]),
    ("shortest path to the query correlate at {}", lambda: [written(correlation_of("query_distance", "dfs_depth"), bare=True)]),
    ("so the {} in this table", lambda: [written(explained("online", "coefficient", "dfs_depth")["estimate"], bare=True)]),
    ("in training seed 0. There, online gives {:.2f} iterations more", lambda: [deeper_found(0)]),
    ("in the other five seeds? ({}.)", lambda: [listed(written(deeper_found(seed)) for seed in range(1, 6))]),
    ("place and search depth; content explains {} of the rest", lambda: [written(made_up("dfs_depth"), bare=True)]),
    ("content explain then? ({}.)", lambda: [written(made_up("newly_enabled"), bare=True)]),
    (
        "({:.2f}, {} of it.)",
        lambda: [lengthened("early")["dead ends"], {True: "more than all"}[lengthened("early")["dead ends"] > lengthened("early")["larger"]]],
    ),
    (
        "({:.2f}, about {}; with a graph apart {:.2f}, {} of it.)",
        lambda: [
            lengthened("online")["dead ends"],
            {True: "half"}[0.45 < lengthened("online")["dead ends"] / lengthened("online")["larger"] < 0.55],
            lengthened("online")["apart"],
            {True: "most"}[0.8 < lengthened("online")["apart"] / lengthened("online")["larger"] < 0.95],
        ],
    ),
]

QUOTED = {
    "95 % intervals": "what intervals hold, everywhere",
    "the other adds 0.3 iterations": "in depths that are made up",
    "with 0.3 iterations for each": "in those of an exercise",
}
