"""Training dynamics: which sizes are learned when, and how depth climbs and falls.

Everything here reads learning curves, `anira.results("training", …)`: of each run, told apart by the columns `RUN`, the
rows of its `metrics.csv` (step, size, exact_match, depth, …). Steps are optimizer steps, and only as fine as the curve
was recorded.
"""

import numpy as np
import pandas as pd
from scipy import stats

from anira.analysis.frames import check_table
from anira.analysis.intervals import COLUMNS, over_seeds

RUN = ["task", "decider", "preset", "run_seed", "variation"]


def milestones(curves: pd.DataFrame, level: float = 0.9) -> pd.DataFrame:
    """The first recorded step at which each size reaches a level of exact match: one row a run and size.

    Columns: those of the run, size, step (NaN if it never does), last_step (of the curve) and
    best, the highest exact match reached.
    """
    check_table(curves, [*RUN, "step", "size", "exact_match"])
    rows = []
    for key, frame in curves.groupby([*RUN, "size"], sort=False):
        there = frame.loc[frame["exact_match"] >= level, "step"]
        rows.append([*key, there.min() if len(there) else np.nan, frame["step"].max(), frame["exact_match"].max()])
    return pd.DataFrame(rows, columns=[*RUN, "size", "step", "last_step", "best"])


def order_of_learning(reached: pd.DataFrame) -> pd.DataFrame:
    """Kendall's τ between size and the step of its milestone, one row a run: 1 when smaller sizes always come first.

    `reached`: rows of `milestones`. A size that never got there counts as later than all that did; sizes of one
    and the same step, or that never got there, are ties. Columns: those of the run, sizes, reached (how many got
    there), tau and reason: τ is NaN, with a reason, when there is nothing to order.
    """
    check_table(reached, [*RUN, "size", "last_step"])
    rows = []
    for key, frame in reached.groupby(RUN, sort=False):
        steps = frame["step"].fillna(np.inf).rank()
        reason = "a single size" if len(frame) < 2 else "all sizes at one step, or none" if steps.nunique() < 2 else ""
        tau = np.nan if reason else stats.kendalltau(frame["size"], steps).statistic
        rows.append([*key, len(frame), int(frame["step"].notna().sum()), tau, reason])
    return pd.DataFrame(rows, columns=[*RUN, "sizes", "reached", "tau", "reason"])


def rise_and_fall(curves: pd.DataFrame, value: str = "expected_depth", since: int = 0) -> pd.DataFrame:
    """How far depth climbed and fell, one row a run: the mean over sizes, from step `since` on.

    since: the first step at which the decider was in charge; before it the depth was not its own. Columns: those
    of the run, first, peak, peak_step, last, climb (peak - first), fall (peak - last), exact_peak and exact_last
    (exact match, mean over sizes, at the peak and at the end), gain (exact_last - exact_peak) and reason. With fewer
    than two recorded steps from `since` on, all numbers are NaN.
    """
    check_table(curves, [*RUN, "step", "size", "exact_match", value])
    columns = [*RUN, "first", "peak", "peak_step", "last", "climb", "fall", "exact_peak", "exact_last", "gain", "reason"]
    rows = []
    for key, frame in curves.groupby(RUN, sort=False):
        path = frame[frame["step"] >= since].groupby("step")[[value, "exact_match"]].mean()
        if len(path) < 2:
            rows.append([*key, *[np.nan] * 9, f"fewer than two recorded steps from {since} on"])
            continue
        depth, exact = path[value], path["exact_match"]
        step, first, last = depth.idxmax(), depth.iloc[0], depth.iloc[-1]
        peak = depth.max()
        rows.append([*key, first, peak, step, last, peak - first, peak - last, exact[step], exact.iloc[-1], exact.iloc[-1] - exact[step], ""])
    return pd.DataFrame(rows, columns=columns)


def last_records(curves: pd.DataFrame) -> pd.DataFrame:
    """The rows of each run's last record."""
    check_table(curves, [*RUN, "step"])
    return curves[curves["step"] == curves.groupby(RUN)["step"].transform("max")]


def full_depth_until(curves: pd.DataFrame, max_depth: int) -> int:
    """The last recorded step at which every answer token of every run went to `max_depth`, 0 if there is none: up to there the decider had no say."""
    check_table(curves, ["step", "depth"])
    shallowest = curves.groupby("step")["depth"].min()
    return int(shallowest.index[shallowest >= max_depth].max()) if (shallowest >= max_depth).any() else 0


def outcomes(curves: pd.DataFrame) -> pd.DataFrame:
    """What was trained and how it ended: estimates over seeds from each run's last record.

    Columns: run (task, preset and decider in words), quantity, and those of an estimate. Three rows for each task, preset and
    decider: exact match at the largest size, within 0..1, and depth at the smallest and the largest size, within 1 and the
    greatest depth that the preset's curves ever show: D, as training begins at fixed depth.
    """
    ends, rows = last_records(curves), []
    greatest = curves.groupby(["task", "preset"])["depth"].max()
    for (task, preset, decider), part in ends.groupby(["task", "preset", "decider"], sort=False):
        least, most = (part[part["size"] == size] for size in (part["size"].min(), part["size"].max()))
        bounds = 1, greatest[task, preset]
        run = f"{task.upper()} {preset}, {decider}"
        rows.append({"run": run, "quantity": "exact match, largest size", **over_seeds(most["exact_match"], bounds=(0, 1))})
        rows.append({"run": run, "quantity": "depth, smallest size", **over_seeds(least["depth"], bounds=bounds)})
        rows.append({"run": run, "quantity": "depth, largest size", **over_seeds(most["depth"], bounds=bounds)})
    return pd.DataFrame(rows, columns=["run", "quantity", *COLUMNS])
