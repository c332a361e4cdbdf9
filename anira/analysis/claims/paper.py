"""The claims of the paper, in its order: its figures where it gives any, and the criteria that were declared before there were numbers.

They stay as they were declared. Where one measures something other than its sentence says, `anira.analysis.claims.findings`
has one instead, which says why.
"""

from anira.analysis.claims import measures
from anira.analysis.claims.claim import Claim, above, below, near
from anira.analysis.words import feature as in_words

ADAPTIVE = ("early", "online")
ALL = (*ADAPTIVE, "fixed", "untied")
BOTH = ("tiny", "minute")
STRINGS = ("long", "minute")  # of LANO: of four and five levels, and of two and three
KNOBS = {"mano": "L", "brevo": "N"}
WORDS = "in words only"
OF_MANO = {"mano": WORDS, "brevo": f"{WORDS}, of MANO"}
PROXIES = {"expansion": (0.666, 0.456), "convergence": (-0.264, -0.111), "additions": (0.618, 0.463), "multiplications": (0.645, 0.490)}
COEFFICIENTS = {"hub_out_degree": (0.134, 0.168), "dfs_depth": (-0.005, 0.302), "frontier_size": (0.047, 0.171), "newly_enabled": (-0.079, -0.286)}
R_SQUARED = (0.734, 0.709)
NO_MODEL = "on four short problems of CLRS-Text models were trained from one seed only (chapter 11); asked of BREVO below"
NO_LANGUAGE = "needs a pretrained language model and days of a GPU"


def sign(figure: float):
    """That a number is on the paper's side of 0."""
    return above(0) if figure > 0 else below(0)


ALIGNMENT = (
    *(
        Claim(
            f"{task}-{decider}-depth-rises",
            f"{decider}: depth rises with {knob}, iterations per unit of {knob}",
            measures.depth_slope(decider),
            above(0),
            "depth stays or falls",
            task,
            BOTH,
            paper=WORDS,
        )
        for task, knob in KNOBS.items()
        for decider in ADAPTIVE
    ),
    *(
        Claim(
            f"{task}-online-spends-fewer",
            "online spends fewer iterations than early, difference on trained sizes",
            measures.depth_difference(),
            below(0),
            "online spends as many or more",
            task,
            BOTH,
            paper=WORDS,
        )
        for task in KNOBS
    ),
    *(
        Claim(
            f"{task}-equal-accuracy",
            "early and online are right equally often, difference in exact match",
            measures.exact_match_difference(),
            near(0, 0.05),
            "one decider is right more often by more than 0.05",
            task,
            BOTH,
            paper=WORDS,
        )
        for task in KNOBS
    ),
    *(
        Claim(
            f"lano-{decider}-{feature}",
            f"{decider}: Spearman of expected depth with {feature}",
            measures.correlation(decider, feature),
            sign(figure),
            "no correlation, or one of the other sign",
            "lano",
            STRINGS,
            paper=f"{figure:+.3f}",
        )
        for feature, figures in PROXIES.items()
        for decider, figure in zip(ADAPTIVE, figures, strict=True)
    ),
)

DYNAMICS = tuple(
    claim
    for task in KNOBS
    for decider in ADAPTIVE
    for claim in (
        Claim(
            f"{task}-{decider}-easy-first",
            f"{decider}: sizes are learned from easy to hard, Kendall's τ of size and step of 90 %",
            measures.learned_in_order(decider),
            above(0),
            "all sizes together, or large ones first",
            task,
            BOTH,
            paper=WORDS,
        ),
        Claim(
            f"{task}-{decider}-depth-climbs",
            f"{decider}: depth first climbs to near its maximum, peak as a share of D, γ constant",
            measures.highest_depth(decider),
            above(0.9),
            "depth never comes near its maximum",
            task,
            ("minute",),
            paper=WORDS,
        ),
        Claim(
            f"{task}-{decider}-depth-falls",
            f"{decider}: … then falls, iterations from the peak",
            measures.fall_of_depth(decider),
            above(0),
            "it stays where it was after the trunk phase; it cannot rise, as that is its maximum",
            task,
            BOTH,
            paper=WORDS,
        ),
        Claim(
            f"{task}-{decider}-accuracy-holds",
            f"{decider}: exact match holds while depth falls, its change since depth was at its peak",
            measures.exact_match_since_peak(decider),
            above(-0.05),
            "exact match falls as depth does",
            task,
            BOTH,
            paper=WORDS,
        ),
    )
)

GENERALIZATION = (
    *(
        Claim(
            f"{task}-{decider}-collapses",
            f"{decider}: collapses beyond the trained sizes, share of exact match kept",
            measures.kept_beyond(decider),
            below(0.5),
            "half or more is kept",
            task,
            BOTH,
            paper=OF_MANO[task],
        )
        for task in KNOBS
        for decider in ALL
    ),
    *(
        Claim(
            f"{task}-online-most-graceful",
            "online collapses most gracefully, exact match beyond minus that of the best other",
            measures.ahead_beyond(),
            above(0),
            "another keeps as much or more",
            task,
            BOTH,
            paper=OF_MANO[task],
        )
        for task in KNOBS
    ),
    *(
        Claim(
            f"{task}-{decider}-depth-grows-on",
            f"{decider}: depth keeps growing beyond the trained sizes, iterations",
            measures.growth_beyond(decider),
            above(0),
            "depth stays or falls",
            task,
            BOTH,
            paper=OF_MANO[task],
        )
        for task in KNOBS
        for decider in ADAPTIVE
    ),
    Claim("clrs-unseen-sizes", "accuracy drops at unseen sizes, also between trained ones", paper=f"{WORDS}, of CLRS", untestable=NO_MODEL),
    *(
        Claim(
            f"brevo-{decider}-drops-between",
            f"{decider}: accuracy drops at sizes left out between trained ones, exact match lost",
            measures.lost_between(decider),
            above(0),
            "nothing is lost",
            "brevo",
            ("tiny-gap", "minute-gap"),
            paper=f"{WORDS}, of CLRS",
        )
        for decider in ADAPTIVE
    ),
)

DECISION_TIMING = (
    *(
        Claim(
            f"brevo-{decider}-r-squared",
            f"{decider}: R² of the regression of expected depth, N as categories",
            measures.r_squared(decider),
            near(figure, 0.1),
            "the features tell less of depth, or more",
            "brevo",
            ("tiny",),
            paper=f"{figure:.3f}",
        )
        for decider, figure in zip(ADAPTIVE, R_SQUARED, strict=True)
    ),
    *(
        Claim(
            f"brevo-{decider}-{feature.replace('_', '-')}",
            f"{decider}: coefficient of {in_words(feature)}",
            measures.coefficient(decider, feature),
            near(figure, 0.05) if abs(figure) < 0.01 else sign(figure),
            "no effect, or one of the other sign" if abs(figure) >= 0.01 else "an effect on either side",
            "brevo",
            ("tiny",),
            paper=f"{figure:+.3f}",
        )
        for feature, figures in COEFFICIENTS.items()
        for decider, figure in zip(ADAPTIVE, figures, strict=True)
    ),
    Claim(
        "brevo-early-share-of-size",
        "early: share of the variance that falls to size",
        measures.share_of_size("early"),
        near(0.28, 0.1),
        "a smaller or a larger share",
        "brevo",
        ("tiny",),
        paper="28 %",
    ),
    Claim(
        "brevo-online-balanced",
        "online: importances are more balanced, largest share of R², online minus early",
        measures.concentration_difference(),
        below(0),
        "one predictor has as large a share in online",
        "brevo",
        ("tiny",),
        paper=WORDS,
    ),
    Claim(
        "brevo-categories-help-early",
        "N as categories helps early more than online, gain in R² over a line, early minus online",
        measures.categories_difference(),
        above(0),
        "it helps online as much or more",
        "brevo",
        ("tiny",),
        paper=WORDS,
    ),
)

QUESTION_TOKENS = (
    Claim(
        "mano-early-one-slot",
        "early: operators get more depth with one operand slot left than with two, iterations",
        measures.operator_effect("one_slot"),
        above(0),
        "as many, or fewer",
        "mano",
        BOTH,
        paper=WORDS,
    ),
    Claim(
        "mano-early-completed-subtree",
        "early: … growing with the subtree just completed, iterations per token of it",
        measures.operator_effect("growth"),
        above(0),
        "depth does not depend on it, or falls",
        "mano",
        BOTH,
        paper=WORDS,
    ),
)

NATURAL_LANGUAGE = (
    Claim("gsm-fewer-iterations", "GSM-Symbolic: fewer iterations at a small loss", paper=WORDS, untestable=NO_LANGUAGE),
    Claim("gsm-harder-splits", "GSM-Symbolic: harder splits get no extra depth", paper=WORDS, untestable=NO_LANGUAGE),
)

PARTS = {
    "alignment": ALIGNMENT,
    "dynamics": DYNAMICS,
    "generalization": GENERALIZATION,
    "decision timing": DECISION_TIMING,
    "question tokens": QUESTION_TOKENS,
    "natural language": NATURAL_LANGUAGE,
}
