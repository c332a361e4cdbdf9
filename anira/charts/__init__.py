"""The book's figures: a data frame in, an Altair chart out, one function a figure. No statistic is computed here."""

from anira.charts.evidence import depth_by_size, exact_match_by_size
from anira.charts.model import exit_distributions, prior_shape
from anira.charts.style import DECIDER_COLORS, DEPTH_COLORS, MIME_TYPE, decider_scale, depth_scale
from anira.charts.tasks import distribution_by_size, hops, search_steps, settling, tree_steps
from anira.charts.training import learning_curves

__all__ = [
    "DECIDER_COLORS",
    "DEPTH_COLORS",
    "MIME_TYPE",
    "decider_scale",
    "depth_by_size",
    "depth_scale",
    "distribution_by_size",
    "exact_match_by_size",
    "exit_distributions",
    "hops",
    "learning_curves",
    "prior_shape",
    "search_steps",
    "settling",
    "tree_steps",
]
