"""Surface against content: does depth go by how long the prompt is and where in the answer a token stands, or by the search itself?

The *surface* of an answer token is the number of edges in the prompt and its place in the answer: what counting tokens tells. Tokens
of one surface form a cell. What the means of the cells leave of depth, the *rest*, is regressed on the *content*: features of the graph and
the search, their own cell means taken out as well, so that a feature counts by what it says within a cell alone.
"""

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd

from anira.analysis.frames import MODEL, by_model, check_table, check_trace
from anira.analysis.intervals import COLUMNS, cluster_bootstrap, over_seeds
from anira.analysis.timing import common_correct, decision_timing

CELLS = ("edges", "emitted")  # edges of the prompt, answer tokens before this one
PAPER = ("dependents", "dfs_depth", "frontier_size", "newly_enabled")  # the features of the paper's last regression
CONTENT = ("nodes", "ancestors", "hub_out_degree", "in_degree", "out_degree", "height", "query_distance", "dfs_depth", "frontier_size", "newly_enabled")
SINGULAR = 1e-9


def with_dependents(frame: pd.DataFrame) -> pd.DataFrame:
    """The trace with the paper's hub (A.8.2): `dependents`, nodes that depend directly on the predicted one, the query not counted."""
    return frame if "dependents" in frame else frame.assign(dependents=frame["out_degree"] - (frame["query_distance"] == 1))


def surface(
    frame: pd.DataFrame,
    content: Sequence[str] = CONTENT,
    *,
    coefficients: Sequence[str] = PAPER,
    cells: Sequence[str] = CELLS,
    target: str = "expected_depth",
    draws: int = 0,
    seed: int = 0,
) -> pd.DataFrame:
    """What surface explains of depth in the trace of one model, and what content explains of the rest.

    Args:
        frame: see `check_trace`; tokens without a value of a feature (`<eos>`) are left out. Take the instances that all models
            solve (`common_correct`) to compare models.
        content: features whose joint share of the rest is asked for.
        coefficients: features of the regression that gives coefficients, `dependents` being made where it is missing.
        cells: columns that together make a cell.
        target: "expected_depth" (where the token is predicted), "own_expected_depth" (where it is read), or a depth.
        draws: bootstrap samples of instances for intervals; 0 where they come from several seeds.

    Returns:
        Rows with the columns quantity, term and those of `anira.analysis.intervals`. quantity "surface": share of the variance of depth
        that lies between cells; "content": share of the rest that the features explain together; "coefficient", one row
        for each term: iterations per unit of the feature within cells, the other coefficients' features held.
    """
    rows = with_dependents(frame) if "dependents" in coefficients else frame
    rows = check_trace(rows, [*content, *coefficients, *cells, target]).dropna(subset=[*content, *coefficients, *cells])
    if rows.empty:
        raise ValueError("No token has a value of every feature.")
    cell = rows.groupby(list(cells)).ngroup().to_numpy()
    values = rows[[target, *content, *coefficients]].to_numpy(float)
    at, some = slice(1, 1 + len(content)), slice(1 + len(content), None)

    def statistic(weights: np.ndarray) -> np.ndarray:
        total = np.bincount(cell, weights)
        sums = np.column_stack([np.bincount(cell, weights * column) for column in values.T])
        means = np.divide(sums, total[:, None], out=np.zeros_like(sums), where=total[:, None] > 0)
        rest = values - means[cell]
        y, spread = rest[:, 0], weights @ np.square(values[:, 0] - np.average(values[:, 0], weights=weights))
        left = weights @ y**2
        if spread <= 0:
            return np.full(2 + len(coefficients), np.nan)
        return np.array(
            [1 - left / spread, _explained(rest[:, at], y, weights) / left if left > SINGULAR * spread else np.nan, *_slopes(rest[:, some], y, weights)]
        )

    table = cluster_bootstrap(statistic, rows["instance"], draws=draws, seed=seed)
    table.insert(0, "quantity", ["surface", "content", *["coefficient"] * len(coefficients)])
    table.insert(1, "term", ["", "", *coefficients])
    return table


def _products(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return (x.T * weights) @ x, (x.T * weights) @ y


def _explained(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> float:
    """Sum of squares that the centred columns of x explain of the centred y."""
    square, cross = _products(x, y, weights)
    return float(cross @ np.linalg.pinv(square, hermitian=True, rcond=SINGULAR) @ cross)


def _slopes(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Coefficients of the centred columns of x, NaN where they determine each other."""
    square, cross = _products(x, y, weights)
    scale = np.sqrt(np.diag(square))
    if not scale.all() or np.linalg.eigvalsh(square / np.outer(scale, scale))[0] < SINGULAR:
        return np.full(len(cross), np.nan)
    return np.linalg.solve(square, cross)


def surface_by_decider(traces: pd.DataFrame, **options) -> pd.DataFrame:
    """`surface` of each model of a frame, on the instances that all of them solve: single seeds, means, and online less early.

    `traces` has the columns decider and run_seed; `options` go to `surface`.

    Returns:
        Rows with the columns decider, quantity, term, seed ("all" for the mean over seeds) and those of `anira.analysis.intervals`.
        Decider "online − early" is the difference seed by seed, where the frame has both.
    """
    each = by_model(common_correct(traces), surface, **options)
    keys = ["decider", "quantity", "term"]
    each = each[[*keys, "run_seed", "estimate"]]
    wide = each.pivot_table(index=["quantity", "term", "run_seed"], columns="decider", values="estimate", sort=False)
    if {"early", "online"} <= set(wide):
        difference = (wide["online"] - wide["early"]).dropna().rename("estimate").reset_index().assign(decider="online − early")
        each = pd.concat([each, difference], ignore_index=True)
    rows = []
    for key, part in each.groupby(keys, sort=False):
        head = dict(zip(keys, key, strict=True))
        rows += [
            {**head, "seed": str(seed), "estimate": value, "clusters": 1, "reason": "a single seed"}
            for seed, value in zip(part["run_seed"], part["estimate"], strict=True)
        ]
        bounds = (-np.inf, np.inf) if head["quantity"] == "coefficient" else (-1, 1) if "−" in head["decider"] else (0, 1)
        rows.append({**head, "seed": "all", **over_seeds(part["estimate"], bounds=bounds)})
    return pd.DataFrame(rows, columns=[*keys, "seed", *COLUMNS])


def alignment_within_cells(
    frame: pd.DataFrame, features: Sequence[str], *, cells: Sequence[str] = CELLS, depth: str = "expected_depth", draws: int = 0, seed: int = 0
) -> pd.DataFrame:
    """Rank correlation of depth with each feature among tokens of one surface, of one model: what is left once prompt length and place are held fixed exactly.

    Ranks are taken over all tokens, and the mean rank of each cell is taken out. Holding size and *position* fixed does not do this: the position is
    twice the edges plus the place plus four, so it mixes the two.

    Returns one row per feature: feature, and the columns of `anira.analysis.intervals`; NaN with a reason where the cells determine a feature.
    """
    rows = []
    for feature in features:
        values = check_trace(frame, [depth, feature, *cells]).dropna(subset=[depth, feature, *cells])
        cell = values.groupby(list(cells)).ngroup().to_numpy()
        ranks = values[[depth, feature]].rank().to_numpy()
        row = cluster_bootstrap(partial(_within, cell, ranks), values["instance"], draws=draws, seed=seed).iloc[0]
        rows.append({"feature": feature, **row, "reason": "the cells determine it" if np.isnan(row["estimate"]) else row["reason"]})
    return pd.DataFrame(rows, columns=["feature", *COLUMNS])


def with_last_tokens(traces: pd.DataFrame, n: int) -> pd.DataFrame:
    """The traces with the column `last_tokens`, a number for each run of n tokens: the one of the row and those before it in its instance.

    As a column of `cells` it holds fixed what can be told without looking further back.

    >>> frame = pd.DataFrame({"instance": 0, "position": range(5), "token": [*"abcab"]})
    >>> with_last_tokens(frame, 2)["last_tokens"].tolist()
    [0, 2, 3, 1, 2]
    """
    if n < 1:
        raise ValueError(f"The last tokens are one or more, received {n}.")
    check_table(traces, ["instance", "position", "token"])
    owner = [name for name in (*MODEL, "instance") if name in traces]
    ordered = traces.reset_index(drop=True).sort_values([*owner, "position"])
    codes = ordered[owner].assign(code=pd.factorize(ordered["token"])[0]).groupby(owner)["code"]
    before = pd.concat([codes.shift(k, fill_value=-1) for k in range(n)], axis=1, keys=range(n))
    return traces.assign(last_tokens=before.groupby(list(range(n))).ngroup().sort_index().to_numpy())


def _within(cell: np.ndarray, ranks: np.ndarray, weights: np.ndarray) -> float:
    """The correlation of two columns of ranks (n, 2) less the means of their cells (n,); NaN where these leave nothing of one."""
    total = np.maximum(np.bincount(cell, weights), SINGULAR)
    rest = ranks - np.column_stack([np.bincount(cell, weights * column) / total for column in ranks.T])[cell]
    square, _ = _products(rest, rest[:, 0], weights)
    spread = weights @ np.square(ranks - np.average(ranks, axis=0, weights=weights))
    if (np.diag(square) < SINGULAR * spread).any() or not spread.all():
        return np.nan
    return square[0, 1] / np.sqrt(square[0, 0] * square[1, 1])


def size_shares(frame: pd.DataFrame, features: Sequence[str] = PAPER, *, target: str = "expected_depth") -> pd.DataFrame:
    """How much of depth's variance is the size's, by three measures that are all in use, of one model; tokens of solved instances.

    Columns: measure and share. "size alone": R² of the sizes as categories; "LMG": its mean gain over all orders of the predictors; "left out": what R²
    loses without it. The three agree only where the size goes with no other predictor.
    """
    rows = with_dependents(frame) if "dependents" in features else frame
    fit = decision_timing(rows, features, target, draws=2)
    size = fit.coefficients.set_index("term").loc["size"]
    known = check_trace(rows, [*features, target]).query("instance_correct").dropna(subset=list(features))
    means = known.groupby("size")[target].transform("mean")
    alone = 1 - np.square(known[target] - means).sum() / np.square(known[target] - known[target].mean()).sum()
    return pd.DataFrame({"measure": ["size alone", "LMG", "left out"], "share": [alone, size["share"], size["gain"]]})
