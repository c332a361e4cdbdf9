"""The book's figures: a data frame in, an Altair chart out, one function a figure. No statistic is computed here."""

from anira.analysis.words import FEATURES
from anira.charts.evidence import (
    alignment_by_feature,
    depth_by_difficulty,
    depth_by_size,
    exact_match_by_size,
    timing_coefficients,
    told_by_state,
    variance_shares,
)
from anira.charts.figure import Figure, figure
from anira.charts.findings import (
    POLICIES,
    answer_over_depth,
    calibration,
    depth_histogram,
    distractors,
    ladder,
    need_and_spending,
    one_cell,
    shuffled_by_size,
    surface_and_content,
)
from anira.charts.generalization import families, frontier, more_iterations, operators, unseen_sizes
from anira.charts.model import exit_distributions, prior_shape, token_depths
from anira.charts.style import DECIDER_COLORS, DEPTH_COLORS, MIME_TYPE, decider_scale, depth_scale
from anira.charts.tables import Table, table
from anira.charts.tasks import depth_by_place, distribution_by_size, hops, search_steps, settling, tree_steps
from anira.charts.training import depth_over_training, order_of_learning, right_against_depth, right_and_deep

__all__ = [
    "DECIDER_COLORS",
    "DEPTH_COLORS",
    "FEATURES",
    "MIME_TYPE",
    "POLICIES",
    "Figure",
    "Table",
    "alignment_by_feature",
    "answer_over_depth",
    "calibration",
    "decider_scale",
    "depth_by_difficulty",
    "depth_by_place",
    "depth_by_size",
    "depth_histogram",
    "depth_over_training",
    "depth_scale",
    "distractors",
    "distribution_by_size",
    "exact_match_by_size",
    "exit_distributions",
    "families",
    "figure",
    "frontier",
    "hops",
    "ladder",
    "more_iterations",
    "need_and_spending",
    "one_cell",
    "operators",
    "order_of_learning",
    "prior_shape",
    "right_against_depth",
    "right_and_deep",
    "search_steps",
    "settling",
    "shuffled_by_size",
    "surface_and_content",
    "table",
    "timing_coefficients",
    "token_depths",
    "told_by_state",
    "tree_steps",
    "unseen_sizes",
    "variance_shares",
]
