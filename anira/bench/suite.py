"""The grid of `anira bench`: which shapes are measured, and the tables that come of it.

A table is tidy: a row for each case, contender and repetition. `summary` condenses it, `break_even` reads off
where adaptive depth stops paying.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from tqdm.auto import tqdm

from anira.bench.contenders import Shape, decoding, prefill, training
from anira.bench.measure import interleave, keep_memory, peak_bytes
from anira.model.flops import ideal_speed_up, token_cost

LENGTH, NEW_TOKENS = 64, 200
BATCHES, DEPTHS, WIDTHS, DECIDERS = (1, 4, 16, 64), (1.0, 2.0, 3.0, 4.0, 6.0), (96, 256), ("early", "online")

LARGE_LENGTH, LARGE_BATCHES, LARGE_DEPTHS, LARGE_WIDTHS = 256, (64, 256), (2.0, 4.0), (96, 256, 512, 1024)

USUAL = ("prefill", "length", "training", "decoding")
WORKS = (*USUAL, "large")  # what is not usual is done where it is named
CASE = ["work", "decider", "width", "batch", "length", "mean_depth"]
MEASURED = ["depth", "ideal", "ideal_fixed"]


def shapes(work: str) -> Iterator[Shape]:
    """The shapes at which a kind of work ("prefill", "length", "training", "decoding", "large") is measured.

    Prefill runs over batch, width and mean depth at a length of 64 tokens; "length" over lengths, at the same number of tokens.
    "large" reads as prefill does, in batches and at widths that ask for a GPU.
    """
    for decider in DECIDERS:
        for width in LARGE_WIDTHS if work == "large" else WIDTHS:
            if work == "large":
                yield from (Shape(width, batch, LARGE_LENGTH, depth, decider) for batch in LARGE_BATCHES for depth in LARGE_DEPTHS)
            elif work == "prefill":
                yield from (Shape(width, batch, LENGTH, depth, decider) for batch in BATCHES for depth in DEPTHS)
                yield Shape(width, 2 * BATCHES[-1], LENGTH, 2.0, decider)
            elif work == "length":
                yield from (Shape(width, 4096 // length, length, 2.0, decider) for length in (16, 256))
            elif work == "training":
                yield Shape(width, 64, LENGTH, 2.0, decider)
            else:
                yield Shape(width, 32, 32, 2.0, decider)


def measure(work: str, shape: Shape, device: torch.device, repetitions: int, new_tokens: int = NEW_TOKENS) -> pd.DataFrame:
    """One case: a row for each contender and repetition; decoding without a cache runs once, as it takes so long,
    and what decodes one prompt at a time is timed on one, times their number.

    Columns: the case; depth, the mean that was spent; ideal and ideal_fixed, how much faster the same work would
    be than at full depth with and without the decider, if time were operations; contender, repetition, seconds,
    cpu_seconds; bytes, the most tensors that the contender keeps alive at once (`peak_bytes`); device.
    """
    if work == "training":
        calls, depths = training(shape, device)
    elif work == "decoding":
        calls, depths = decoding(shape, device, new_tokens)
    else:
        calls, depths = prefill(shape, device)
    frame = interleave(calls, repetitions, device, once=["recompute"])
    if work == "decoding":
        frame.loc[frame["contender"] == "x-transformers", ["seconds", "cpu_seconds"]] *= shape.batch
    frame["bytes"] = frame["contender"].map({name: peak_bytes(call) for name, call in calls.items() if name != "recompute"})
    frame["device"] = torch.cuda.get_device_name(device) if device.type == "cuda" else f"cpu, {torch.get_num_threads()} threads"
    ideal = _ideal(work, shape, depths)
    case = [work, shape.decider, shape.width, shape.batch, shape.length, shape.mean_depth, float(depths.double().mean()), *ideal]
    return pd.DataFrame([case] * len(frame), columns=[*CASE, *MEASURED]).join(frame)


def _ideal(work: str, shape: Shape, depths: Tensor) -> tuple[float, float]:
    """The ideal speed-up over full depth with the decider, and without it."""
    config, depths = shape.config, depths.cpu()
    contexts = torch.arange(1, depths.shape[1] + 1).expand_as(depths)
    full = torch.full_like(depths, config.max_depth)
    with_decider, without = (token_cost(each, full, contexts).summed().total for each in (config, Shape(**{**vars(shape), "decider": "fixed"}).config))
    ideal = with_decider / token_cost(config, depths, contexts).summed().total if work == "decoding" else ideal_speed_up(config, depths)
    return ideal, ideal * without / with_decider


def bench(works: list[str], device: torch.device, repetitions: int) -> pd.DataFrame:
    """All cases of the given kinds of work, one after the other; see `measure` for the columns.

    From then on this process keeps the memory it frees, see `keep_memory`.

    Raises:
        ValueError: an unknown kind of work.
    """
    if unknown := set(works) - set(WORKS):
        raise ValueError(f"A kind of work is one of {', '.join(WORKS)}, received {', '.join(sorted(unknown))}.")
    keep_memory()
    cases = [(work, shape) for work in works for shape in shapes(work)]
    return pd.concat([measure(work, shape, device, repetitions) for work, shape in tqdm(cases, desc="bench")], ignore_index=True)


def summary(table: pd.DataFrame, reference: str = "fixed") -> pd.DataFrame:
    """A row for each case and contender: its time, and how much faster than the reference it is.

    Returns the case's columns and those that `measure` adds to it; contender; seconds (median), fastest, cpu_seconds (median), bytes,
    repetitions; speed_up, the median over repetitions of the ratio within one, with its quartiles low and high.
    """
    keys = [*CASE, *MEASURED]
    base = table[table["contender"] == reference].set_index([*keys, "repetition"])["seconds"].rename("base")
    frame = table.join(base, on=[*keys, "repetition"])
    frame["ratio"] = frame["base"] / frame["seconds"]
    groups = frame.groupby([*keys, "contender"], sort=False)
    return groups.agg(
        seconds=("seconds", "median"),
        fastest=("seconds", "min"),
        cpu_seconds=("cpu_seconds", "median"),
        bytes=("bytes", "first"),
        repetitions=("seconds", "size"),
        speed_up=("ratio", "median"),
        low=("ratio", lambda ratio: ratio.quantile(0.25)),
        high=("ratio", lambda ratio: ratio.quantile(0.75)),
    ).reset_index()


def break_even(summary: pd.DataFrame) -> pd.DataFrame:
    """The mean depth at which sparse execution takes as long as the reference, for each decider, width, batch and length.

    Linear between the deepest measured depth up to which all pay and the next; `inf` where all pay, 0 where the least does not.

    >>> rows = [("prefill", "early", 96, 1, 64, depth, depth, "sparse", ratio) for depth, ratio in ((1, 1.5), (2, 1.1), (3, 0.9))]
    >>> break_even(pd.DataFrame(rows, columns=[*CASE, "depth", "contender", "speed_up"]))["break_even"].round(6).tolist()
    [2.5]
    """
    rows, keys = [], ["decider", "width", "batch", "length"]
    sparse = summary[(summary["work"] == "prefill") & (summary["contender"] == "sparse")]
    for key, group in sparse.groupby(keys, sort=False):
        group = group.sort_values("depth")
        if len(group) > 1:
            rows.append((*key, _crossing(group["depth"].to_numpy(), group["speed_up"].to_numpy())))
    return pd.DataFrame(rows, columns=[*keys, "break_even"])


def in_words(limits: pd.DataFrame) -> pd.DataFrame:
    """What `break_even` gives, to be read: a row for each decider and width, a column for each batch.

    >>> in_words(pd.DataFrame({"decider": "early", "width": 96, "batch": [1, 4, 16], "length": 64, "break_even": [0, 2.5, np.inf]})).to_numpy().tolist()
    [['early, 96', 'never', 'below 2.5', 'at every depth']]
    """
    words = ["never" if depth == 0 else "at every depth" if np.isinf(depth) else f"below {depth:.1f}" for depth in limits["break_even"]]
    who = limits["decider"] + ", " + limits["width"].astype(str)
    wide = limits.assign(words=words, **{"decider, width": who}).pivot(index="decider, width", columns="batch", values="words")
    wide.columns = [f"{batch} sequence{'s' * (batch > 1)}" for batch in wide.columns]
    return wide.loc[who.drop_duplicates()].reset_index()


def efficiency(table: pd.DataFrame, mean_depth: float = 2.0) -> pd.DataFrame:
    """How much of the ideal speed-up over dense execution sparse execution reaches when it reads: the rows of `summary` at one mean depth.

    table: rows of `measure`. Columns besides those of `summary`: tokens (of the batch), and share, share_low and share_high,
    the speed-up and its quartiles as shares of the ideal.
    """
    frame = summary(table, "dense")
    frame = frame[frame["work"].isin(["prefill", "length"]) & (frame["contender"] == "sparse") & (frame["mean_depth"] == mean_depth)]
    shares = {name: frame[column] / frame["ideal"] for name, column in (("share", "speed_up"), ("share_low", "low"), ("share_high", "high"))}
    return frame.assign(tokens=frame["batch"] * frame["length"], **shares)


def _crossing(depth: np.ndarray, speed_up: np.ndarray) -> float:
    """The depth at which the speed-up first falls to one."""
    slower = np.flatnonzero(speed_up < 1)
    if not len(slower):
        return np.inf
    first = slower[0]
    return 0.0 if first == 0 else float(np.interp(1, speed_up[[first, first - 1]], depth[[first, first - 1]]))
