"""Chapter 06-timing."""

from tests.book.numbers.tables import (
    IN_WORDS,
    added,
    correlation_of,
    count_of_cells,
    deeper_found,
    exchanges,
    explained,
    lengthened,
    listed,
    lost_by_shuffling,
    made_up,
    millions,
    said,
    shuffled,
    told,
    two_exchanged,
    written,
)

SHUFFLED = "shuffled in the instance"
LOST = f"{SHUFFLED} − chosen"


def right(graph: str) -> list[str]:
    """Exact match of early and online with nodes added."""
    return [written(added(decider, graph, "exact match")["estimate"], bare=True) for decider in ("early", "online")]


HELD = [
    ("a good part of the rest, {:.0f} % [{:.0f}, {:.0f}]", lambda: 100 * explained("online", "content")[["estimate", "low", "high"]].astype(float)),
    ("raise early's depth by {:.2f} of what a larger", lambda: [added("early", "dead ends", "share")["estimate"]]),
    ("graph does, and online's by {:.2f} of it", lambda: [added("online", "dead ends", "share")["estimate"]]),
    ("The models have {} million parameters", lambda: [millions()]),
    ("shows one of about {}. The question", lambda: [{100: "a hundred"}[round(count_of_cells(), -2)]]),
    (
        "for the rule without search depth, content explains {} of the rest; for the one with it, {}",
        lambda: [{True: "nothing"}[made_up() < 0.005], {True: "three quarters"}[0.7 < made_up("dfs_depth") < 0.8]],
    ),
    (
        "For early, length and place explain {}, and content {} of the rest",
        lambda: [said(explained("early", quantity), bare=True) for quantity in ("surface", "content")],
    ),
    ("For online the two shares are {} and {}", lambda: [said(explained("online", quantity), bare=True) for quantity in ("surface", "content")]),
    ("nothing for search depth, {} iterations a step", lambda: [said(explained("early", "coefficient", "dfs_depth"), bare=True)]),
    (
        "gives {} of an iteration a step, {}, and",
        lambda: [
            {True: "a third"}[0.28 < explained("online", "coefficient", "dfs_depth")["estimate"] < 0.39],
            said(explained("online", "coefficient", "dfs_depth"), bare=True),
        ],
    ),
    ("{} for each node on the frontier", lambda: [said(explained("online", "coefficient", "frontier_size"), bare=True)]),
    ("the shares of dead ends, {:.2f} and {:.2f}", lambda: [added(decider, "dead ends", "share")["estimate"] for decider in ("early", "online")]),
    ("dead ends do most of what a larger graph does: {} of the rise", lambda: [said(added("early", "dead ends", "share"), bare=True)]),
    ("For online they do less: {}", lambda: [said(added("online", "dead ends", "share"), bare=True)]),
    ("exact match {} for early and {} for online", lambda: right("dead ends")),
    (
        "Online's rises by {} of what a larger graph brings",
        lambda: [{True: "little more than a third"}[1 / 3 < added("online", "dead ends", "share")["estimate"] < 0.4]],
    ),
    ("goes by the length of the prompt: by {} of its rise", lambda: [said(added("early", "apart", "share"), bare=True)]),
    ("rises more than with dead ends, by {}", lambda: [said(added("online", "apart", "share"), bare=True)]),
    ("with a graph apart: exact match is {} for early and {} for online", lambda: right("apart")),
    (
        "At eight nodes online falls from {} to {}, and early from {} to {}",
        lambda: [written(shuffled(decider, what)["estimate"], 3, bare=True) for decider in ("online", "early") for what in ("chosen", SHUFFLED)],
    ),
    (
        "All {} online models lose at this size, by {} percentage points",
        lambda: [IN_WORDS[len(lost_by_shuffling("online"))], listed(written(points, 0) for points in lost_by_shuffling("online"))],
    ),
    ("from {:.0f} points lost to {:.0f} points gained", lambda: [-100 * shuffled("online", LOST)["low"], 100 * shuffled("online", LOST)["high"]]),
    ("online gives {} iterations to the first node of the answer and {} to the second", lambda: two_exchanged()["depth"][:2]),
    ("which lost iterations, is {} right", lambda: [{(True, False): "no longer"}[tuple(two_exchanged().loc[1, ["right", "right_exchanged"]])]]),
    ("Of {} such exchanges in online's answers, {} made the answer wrong", lambda: exchanges("online")),
    ("of {} in early's, {} did", lambda: [exchanges("early")[0], IN_WORDS[exchanges("early")[1]]]),
    ("with an R² of {}", lambda: [written(told("early", "expected_depth", 0), bare=True)]),
    (
        "before the first iteration, {}. After three iterations most of it can, and after four R² is {}",
        lambda: [written(told("online", "expected_depth", d), bare=True) for d in (0, 4)],
    ),
    ("{} in early's model and {} in online's", lambda: [written(told(decider, "edges", 0), bare=True) for decider in ("early", "online")]),
    (
        "The search depth of a node cannot: {} in both",
        lambda: [" and ".join({written(told(decider, "dfs_depth", 0), bare=True) for decider in ("early", "online")})],
    ),
    ("After three iterations it can in part, {} and {}", lambda: [written(told(decider, "dfs_depth", 3), bare=True) for decider in ("early", "online")]),
    ("shortest path to the query correlate at {}", lambda: [written(correlation_of("query_distance", "dfs_depth"), bare=True)]),
    ("so the {} in this table", lambda: [written(explained("online", "coefficient", "dfs_depth")["estimate"], bare=True)]),
    ("in training seed 0. There, online gives {:.2f} iterations more", lambda: [deeper_found(0)]),
    ("in seeds 1 and 2? ({:.2f} and {:.2f}.)", lambda: [deeper_found(1), deeper_found(2)]),
    ("place and search depth; content explains {} of the rest", lambda: [written(made_up("dfs_depth"), bare=True)]),
    ("content explain then? ({}.)", lambda: [written(made_up("newly_enabled"), bare=True)]),
    (
        "({:.2f}, {} of it.)",
        lambda: [lengthened("early")["dead ends"], {True: "more than all"}[lengthened("early")["dead ends"] > lengthened("early")["larger"]]],
    ),
    (
        "({:.2f}, about {}; with a graph apart {:.2f}.)",
        lambda: [
            lengthened("online")["dead ends"],
            {True: "half"}[0.4 < lengthened("online")["dead ends"] / lengthened("online")["larger"] < 0.6],
            lengthened("online")["apart"],
        ],
    ),
]

QUOTED = {
    "95 % intervals": "what intervals hold, everywhere",
    "the other adds 0.3 iterations": "in depths that are made up",
    "with 0.3 iterations for each": "in those of an exercise",
}
