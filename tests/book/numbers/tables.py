"""What the sentences of a chapter are compared with: numbers of the stored tables and the shipped models, and how text writes them."""

from collections.abc import Callable, Iterable
from functools import cache
from itertools import combinations

import numpy as np
import pandas as pd
import torch

import anira
from anira.analysis.alignment import alignment_over_seeds
from anira.analysis.allocation import after_shuffling, depth_shares
from anira.analysis.claims import CLAIMS, verdicts
from anira.analysis.claims.findings import FINDINGS
from anira.analysis.dynamics import last_records, rise_and_fall
from anira.analysis.frames import by_model
from anira.analysis.generalization import left_out, own_conditions, slopes
from anira.analysis.intervals import UNBOUNDED, Estimate, in_print, over_seeds
from anira.analysis.need import calibration, needs, over_models, spending
from anira.analysis.policies import by_policy, rise_with_distractors, rises_over_seeds
from anira.analysis.regressions import regressions
from anira.analysis.surface import CELLS, surface, surface_by_decider
from anira.analysis.timing import common_correct
from anira.bench.suite import summary
from anira.charts import claims as tables
from anira.evaluation.distractors import distract
from anira.evaluation.generalize import with_family
from anira.evaluation.interventions import exchanged
from anira.evaluation.reading import read
from anira.evaluation.trace import draw
from anira.explorer.answers import answer
from anira.tasks.task import collate


def written(value: float, digits: int = 2, *, bare: bool = False) -> str:
    """A number as text has it: with the sign minus, and with `bare` without the zero before the point."""
    text = in_print(f"{value:.{digits}f}")
    return text.replace("0.", ".", 1) if bare and abs(value) < 1 else text


def listed(items: Iterable[str]) -> str:
    """Several as text lists them, the last after "and"."""
    *first, last = items
    return f"{', '.join(first)} and {last}" if first else last


def interval(low: float, high: float, digits: int = 2, *, bare: bool = False) -> str:
    """An interval as text has it, [low, high]."""
    return f"[{written(low, digits, bare=bare)}, {written(high, digits, bare=bare)}]"


def said(row: pd.Series, digits: int = 2, *, bare: bool = False) -> str:
    """An estimate as text has it, number [low, high]."""
    return f"{written(row['estimate'], digits, bare=bare)} {interval(row['low'], row['high'], digits, bare=bare)}"


def one(frame: pd.DataFrame, **values: object) -> pd.Series:
    """The one row of a frame that has these values in these columns."""
    for column, value in values.items():
        frame = frame[frame[column] == value]
    ((_, found),) = frame.iterrows()
    return found


@cache
def row(claim: str) -> pd.Series:
    """What the tables say of a claim, at its largest scale."""
    return verdicts([CLAIMS[claim]]).iloc[0]


def online(size: int) -> pd.Series:
    """What the shipped online model did on graphs of a size."""
    return anira.results("shipped", "brevo-tiny").query("decider == 'online'").set_index("size").loc[size]


def taken(size: int, seed: int) -> tuple[int, int]:
    """Iterations that the shipped online model spends on one instance, and that full depth would."""
    model, task, _ = anira.load("brevo-online-tiny")
    tokens = torch.tensor([task.sample(size, np.random.default_rng(seed)).tokens])
    return int(model(tokens).depths.sum()), model.config.max_depth * tokens.numel()


@cache
def traces() -> pd.DataFrame:
    """The answer tokens of the models of BREVO `tiny`, early and online."""
    return anira.results("traces", "brevo-tiny")


@cache
def _surfaces() -> pd.DataFrame:
    return surface_by_decider(traces())


def explained(decider: str, quantity: str, term: str = "") -> pd.Series:
    """What "surface" explains of depth in BREVO `tiny`, "content" of the rest, or a "coefficient" within cells, over seeds."""
    return one(_surfaces(), decider=decider, quantity=quantity, term=term, seed="all")


def by_surface(decider: str) -> float:
    """The share of depth that prompt length and place explain in BREVO `tiny`, the mean over seeds."""
    return explained(decider, "surface")["estimate"]


@cache
def _in_larger() -> pd.DataFrame:
    return surface_by_decider(anira.results("traces", "brevo-small"))


def explained_in_larger(decider: str, quantity: str) -> pd.Series:
    """The same in BREVO `small`, graphs of up to twelve nodes."""
    return one(_in_larger(), decider=decider, quantity=quantity, term="", seed="all")


@cache
def _on_schedule(schedule: str) -> pd.DataFrame:
    return surface_by_decider(anira.results("traces", f"brevo-tiny-{schedule}"))


def explained_on_schedule(decider: str, schedule: str) -> pd.Series:
    """What content explains of the rest in BREVO `tiny` trained on another schedule than its own, "constant" or "longer"."""
    return one(_on_schedule(schedule), decider=decider, quantity="content", term="", seed="all")


def content_by_seed(decider: str) -> pd.Series:
    """What content explains of the rest in each model of BREVO `tiny`."""
    return _surfaces().query("decider == @decider and quantity == 'content' and seed != 'all'").set_index("seed")["estimate"]


@cache
def solved_by_all() -> tuple[int, int]:
    """On how many graphs of `traces` all models are right, and how many models these are."""
    return common_correct(traces())["instance"].nunique(), len(traces()[["decider", "run_seed"]].drop_duplicates())


@cache
def made_up(feature: str = "") -> float:
    """What content explains of the rest where depth goes by length and place, and where a feature is named by 0.3 of it."""
    tokens = traces().query("decider == 'early' and run_seed == 0").dropna(subset="dfs_depth")
    depth = 2 + 0.2 * tokens["edges"] - 0.1 * tokens["emitted"] + np.random.default_rng(0).normal(0, 0.1, len(tokens))
    if feature:
        depth = depth + 0.3 * tokens[feature]
    return one(surface(tokens.assign(expected_depth=depth)), quantity="content")["estimate"]


def count_of_cells() -> int:
    """How many cells the tokens of one model fall into."""
    return traces().query("decider == 'early' and run_seed == 0").dropna(subset="dfs_depth").groupby(list(CELLS)).ngroups


def deeper_found(seed: int) -> float:
    """Iterations that online gives more at search depth 3 than at 1, to the second token of answers in graphs of ten edges."""
    tokens = traces().query("decider == 'online' and run_seed == @seed and edges == 10 and emitted == 1 and instance_correct")
    means = tokens.groupby("dfs_depth")["expected_depth"].mean().round(2)  # as the chapter's table shows them
    return means[3] - means[1]


@cache
def correlation_of(feature: str, other: str) -> float:
    """The correlation of two features over the tokens of the graphs, which are the same for all models."""
    return traces().query("decider == 'online' and run_seed == 0")[[feature, other]].corr().loc[feature, other]


@cache
def _shares_of_depths() -> pd.DataFrame:
    return depth_shares(traces()).query("size == 'all' and seed == 'all'")


def share_at(decider: str, depth: int) -> float:
    """The share of answer tokens that get so many iterations, mean over seeds."""
    return one(_shares_of_depths(), decider=decider, depth=depth)["estimate"]


def step_with_nodes(decider: str, nodes: int) -> float:
    """Iterations that a decider gives more in graphs of one node more."""
    means = traces().query("decider == @decider").groupby(["nodes", "run_seed"])["depth"].mean().groupby("nodes").mean()
    return means[nodes + 1] - means[nodes]


@cache
def _aligned(feature: str, held: tuple[str, ...], wrong: bool) -> pd.DataFrame:
    rows = traces()[~traces()["instance_correct"]] if wrong else traces()
    return alignment_over_seeds(rows, [feature], {"": held})


def aligned(decider: str, feature: str, held: tuple[str, ...] = (), *, wrong: bool = False, reading: str = "predicted") -> pd.Series:
    """Spearman's correlation of E[d] with a feature, over seeds; with `wrong` on the graphs that a model does not solve."""
    return one(_aligned(feature, held, wrong), decider=decider, reading=reading)


@cache
def _of_strings(recipe: str, feature: str) -> pd.DataFrame:
    return alignment_over_seeds(anira.results("traces", f"lano-{recipe}"), [feature], {"": ()})


def read_strings(recipe: str, decider: str, feature: str) -> pd.Series:
    """The same in the strings of a recipe of LANO, where a token is read."""
    return one(_of_strings(recipe, feature), decider=decider, reading="read")


def unsolved() -> pd.DataFrame:
    """The graphs that some online model did not solve."""
    return traces().query("decider == 'online' and not instance_correct").drop_duplicates("instance")


@cache
def _by_hops() -> pd.DataFrame:
    return alignment_over_seeds(anira.results("traces", "depo-minute"), ["hops"], {"": ()}).query("reading == 'predicted'")


def by_hops(decider: str) -> pd.Series:
    """The same with the hops of DEPO `minute`."""
    return one(_by_hops(), decider=decider)


def hops_told(first: int, last: int) -> list[float]:
    """The least and the greatest over early's seeds of what a probe tells of the hops, the best after `first` to `last` iterations."""
    told = anira.results("probes", "depo-minute").query("decider == 'early' and feature == 'hops' and @first <= iteration <= @last")
    best = told.groupby("run_seed")["estimate"].max()
    return [best.min(), best.max()]


@cache
def _regressions() -> pd.DataFrame:
    return regressions(traces())


def regressed(decider: str, term: str, quantity: str = "coefficient", reading: str = "read") -> pd.Series:
    """A number of the paper's regression, sizes as categories, over seeds."""
    return one(_regressions(), decider=decider, term=term, quantity=quantity, reading=reading, size="categories")


def most_important(decider: str) -> str:
    """The predictor with the largest share of the variance where tokens are read."""
    shares = _regressions().query("decider == @decider and quantity == 'share' and reading == 'read' and size == 'categories'")
    return shares.loc[shares["estimate"].idxmax(), "term"]


@cache
def _spending() -> pd.DataFrame:
    return by_model(readouts().query("decider in ['early', 'online', 'fixed']"), spending, draws=0).query("definition == 'alone'")


def need_by_seed(decider: str, quantity: str, size: str = "all") -> pd.Series:
    """What answer tokens get and need, each changed alone, of all sizes or of one, by seed."""
    rows = _spending().query("decider == @decider and quantity == @quantity and size == @size")
    return rows.set_index("run_seed")["estimate"]


def need(decider: str, quantity: str) -> float:
    """The same, the mean over seeds."""
    return need_by_seed(decider, quantity).mean()


def rises_with_size(decider: str, quantity: str) -> float:
    """Iterations more in graphs of eight nodes than in graphs of three."""
    return (need_by_seed(decider, quantity, "8") - need_by_seed(decider, quantity, "3")).mean()


@cache
def share_in_need(decider: str) -> pd.Series:
    """The share of answer tokens that need each number of iterations, each changed alone."""
    return needed(decider)["need"].value_counts(normalize=True)


@cache
def _longer() -> pd.DataFrame:
    return anira.results("distractors", "brevo-tiny").query("decider in ['early', 'online']")


@cache
def _rises() -> pd.DataFrame:
    return rises_over_seeds(_longer(), largest=8).query("size == 'all'")


def added(decider: str, graph: str, quantity: str) -> pd.Series:
    """What nodes added as "dead ends" or "apart" bring in graphs of at most eight, over seeds: the "rise", its "share" of a larger graph's, "exact match"."""
    return one(_rises(), decider=decider, graph=graph, quantity=quantity)


@cache
def share_by_model(graph: str) -> pd.DataFrame:
    """The shares of a larger graph's rise in graphs of at most eight: a row for each seed, a column for each decider."""
    shares = by_model(_longer(), rise_with_distractors, largest=8, draws=2).query("size == 'all' and quantity == 'share' and graph == @graph")
    return shares.pivot(index="run_seed", columns="decider", values="estimate")


@cache
def _shuffled() -> pd.DataFrame:
    return after_shuffling(anira.results("interventions", "brevo-tiny"))


def shuffled(decider: str, intervention: str, size: int = 8) -> pd.Series:
    """Exact match on graphs of a size with depths "chosen", "shuffled in the instance", or the difference that this makes, over seeds."""
    return one(_shuffled(), decider=decider, intervention=intervention, size=size, seed="all")


def lost_by_shuffling(decider: str) -> list[float]:
    """Points of exact match that a decider's models lose there where depths are shuffled in the instance, the least first."""
    rows = _shuffled().query("decider == @decider and size == 8 and intervention == 'shuffled in the instance − chosen' and seed != 'all'")
    return sorted(-100 * rows["estimate"])


def told(decider: str, feature: str, iteration: int) -> float:
    """R² of a probe of the shipped model's state after an iteration."""
    return one(anira.results("probes", "brevo-tiny"), decider=decider, feature=feature, iteration=iteration)["estimate"]


@cache
def two_exchanged() -> pd.DataFrame:
    """The answer of the shipped online model whose first two depths are exchanged."""
    model, task, _ = anira.load("brevo-online-tiny")
    return exchanged(model, task, draw(task, [8], n=9, seed=3, split="held_out")[8], 0, 1)


@cache
def answer_exchanged() -> list[str]:
    """What the same model writes of its own with these two depths exchanged."""
    model, task, _ = anira.load("brevo-online-tiny")
    graph = draw(task, [8], n=9, seed=3, split="held_out")[8]
    first, last = len(graph.prompt) - 1, two_exchanged()["depth"]
    given = {first: last[1], first + 1: last[0]}
    return answer(model, task, task.vocabulary.decode(graph.prompt), given=given, longest=16)["answer"]


@cache
def _exchanges(decider: str) -> pd.DataFrame:
    model, task, _ = anira.load(f"brevo-{decider}-tiny")
    graphs = draw(task, [8], n=40, seed=3, split="held_out")
    chosen = read(model, collate(graphs))
    places = [(graph, pair) for graph, answer in enumerate(chosen.answer) for pair in combinations(np.flatnonzero(answer), 2)]
    places = [(graph, list(pair)) for graph, pair in places if chosen.solved[graph] and len(set(chosen.depth[graph, list(pair)])) == 2]
    batch = collate([graphs[graph] for graph, _ in places])
    before = read(model, batch)
    depth = before.depth.copy()
    for number, (_, pair) in enumerate(places):
        depth[number, pair] = depth[number, pair[::-1]]
    apart = [abs(int(np.diff(chosen.depth[graph, pair])[0])) for graph, pair in places]
    wrong = ~read(model, batch, depths=before.with_depth(depth)).solved
    return pd.DataFrame({"graph": [graph for graph, _ in places], "apart": apart, "wrong": wrong})


def exchanges(decider: str, least: int = 1, most: int = 6) -> tuple[int, int]:
    """On 40 graphs of eight nodes: exchanges of two depths of a right answer that differ by `least` to `most`, and how many make it wrong."""
    found = _exchanges(decider)["wrong"][_exchanges(decider)["apart"].between(least, most)]
    return len(found), int(found.sum())


def graphs_spoiled(decider: str) -> int:
    """In how many of these graphs there is such an exchange that makes the answer wrong."""
    return _exchanges(decider).groupby("graph")["wrong"].any().sum()


@cache
def lengthened(decider: str) -> dict[str, float]:
    """The rise of E[d] in 20 graphs of five nodes with three added, dead ends or apart, and in larger graphs."""
    model, task, _ = anira.load(f"brevo-{decider}-tiny")
    means = distract(model, task, n=20, seed=1, sizes=[5], added=[3]).groupby("graph")["expected_depth"].mean().round(2)
    return (means - means["as it is"]).to_dict()


def a_node(decider: str, schedule: str) -> Estimate:
    """Iterations that an answer token of BREVO `tiny`, trained on a schedule, gets more for each further node, over seeds."""
    curves = anira.results("training", "brevo-tiny").query("decider == @decider and variation == @schedule")
    return over_seeds(slopes(last_records(curves).assign(place="trained")).set_index("run_seed")["slope"], bounds=UNBOUNDED)


def trained(decider: str, value: str) -> Estimate:
    """A value of BREVO `tiny` at the end of training, the mean over its sizes, over seeds."""
    curves = anira.results("training", "brevo-tiny")
    ends = last_records(curves[(curves["variation"] == "none") & (curves["decider"] == decider)])
    return over_seeds(ends.groupby("run_seed")[value].mean(), bounds=(0, 1) if value == "exact_match" else UNBOUNDED)


def range_of(column: str, batches: Callable[[pd.Series], pd.Series]) -> tuple[float, float]:
    """Of what was measured of sparse execution that reads at mean depth 2: the least and the greatest over deciders, widths and batches."""
    measured = summary(anira.results("bench", "cpu"))
    rows = measured[(measured["work"] == "prefill") & (measured["contender"] == "sparse") & (measured["mean_depth"] == 2)]
    values = rows.loc[batches(rows["batch"]), column]
    return values.min(), values.max()


def depth_rises_early() -> float:
    """Early's rise of depth with size, as a share of online's."""
    return row("brevo-early-depth-rises")["estimate"] / row("brevo-online-depth-rises")["estimate"]


def points(claim: str, digits: int = 0) -> list[str]:
    """A claim's share and its interval in points, with the sign of text."""
    return [written(100 * value, digits) for value in row(claim)[["estimate", "low", "high"]]]


@cache
def policies() -> pd.DataFrame:
    """The ladder of policies."""
    return anira.results("policies", "brevo-tiny")


@cache
def rungs(decider: str) -> pd.DataFrame:
    """The policies with a decider's weights, means over sizes, by policy and setting."""
    return by_policy(policies()).query("size == 'all' and decider == @decider").set_index(["policy", "setting"])


def rung(policy: str, decider: str, setting: float = np.nan) -> pd.Series:
    """One of them."""
    return rungs(decider).loc[(policy, setting)]


def exact(policy: str, decider: str, setting: float = np.nan) -> str:
    """Its exact match as text has it."""
    return written(rung(policy, decider, setting)["exact_match"], 3, bare=True)


def operations(policy: str, decider: str, setting: float = np.nan) -> str:
    """Its share of the operations of full depth, as text has it."""
    return written(rung(policy, decider, setting)["flops_share"], 3, bare=True)


@cache
def readouts() -> pd.DataFrame:
    """What BREVO `tiny` would say after each iteration."""
    return anira.results("readouts", "brevo-tiny")


@cache
def final(decider: str) -> pd.DataFrame:
    """How often a decider's predictions are final, by the probability F(d) of having halted, which begins at the index."""
    return over_models(readouts().query("decider == @decider"), calibration).query("quantity == 'final'").set_index("from")


@cache
def needed(decider: str) -> pd.DataFrame:
    """What each answer token needs, of all models of a decider."""
    return by_model(readouts().query("decider == @decider"), needs)


@cache
def trace_of_chains(decider: str) -> pd.Series:
    """A shipped model's mean expected depth at each place of the answer, on chains of six nodes."""
    model, task, _ = anira.load(f"brevo-{decider}-tiny")
    trace = anira.trace(model, with_family(task, "chains"), sizes=[6], n=100, seed=0)
    return trace.groupby("emitted")["expected_depth"].mean()


@cache
def generalization() -> pd.DataFrame:
    """BREVO `tiny` on sizes, families and largest depths of which most were not trained."""
    return anira.results("generalization", "brevo-tiny")


def exact_on(decider: str, size: int, family: str = "physics", allowed: int = 6) -> pd.Series:
    """Exact match of a decider's models on graphs of a size and family, by seed."""
    rows = generalization().query("decider == @decider and size == @size and family == @family and max_depth == @allowed")
    return rows.set_index("run_seed")["exact_match"]


def over(shares: pd.Series) -> Estimate:
    """Shares of several seeds, as one."""
    return over_seeds(shares, bounds=(0, 1))


def by_size(decider: str, value: str, preset: str = "tiny") -> pd.DataFrame:
    """Exact match or depth on the graphs of training and larger ones: a row for each seed, a column for each size."""
    own = own_conditions(anira.results("generalization", f"brevo-{preset}"))
    return own.query("decider == @decider").pivot(index="run_seed", columns="size", values=value)


@cache
def lost_by_leaving_out(preset: str) -> pd.DataFrame:
    """Exact match on graphs of the sizes left out that a preset loses when they are left out of its training, by decider."""
    whole, gap = (own_conditions(anira.results("generalization", f"brevo-{name}")) for name in (preset, f"{preset}-gap"))
    return left_out(whole, gap).query("trained == 'lost'").set_index("decider")


@cache
def minute(variation: str) -> pd.DataFrame:
    """The learning curves of BREVO `minute` under a schedule."""
    return anira.results("training", "brevo-minute").query("variation == @variation")


def ends(decider: str, variation: str, value: str) -> pd.Series:
    """How its runs end on graphs of four nodes, by seed."""
    return last_records(minute(variation)).query("decider == @decider and size == 4").set_index("run_seed")[value]


def lost_by_constant(decider: str) -> Estimate:
    """Exact match on graphs of four nodes that γ constant costs, seed by seed."""
    return over_seeds((ends(decider, "none", "exact_match") - ends(decider, "constant", "exact_match")).dropna(), bounds=UNBOUNDED)


def peaks(decider: str) -> pd.Series:
    """The greatest depth in training with γ constant, as a share of the largest possible, by seed."""
    return rise_and_fall(minute("constant").query("decider == @decider"), "depth").set_index("run_seed")["peak"] / 4


@cache
def parameters(model: str) -> int:
    """How many numbers a shipped model has learned."""
    return sum(parameter.numel() for parameter in anira.load(model).model.parameters())


def millions() -> str:
    """How many million numbers the shipped models of BREVO `tiny` have learned, one number where they agree."""
    return " or ".join(dict.fromkeys(written(parameters(f"brevo-{decider}-tiny") / 1e6) for decider in ("early", "online")))


@cache
def findings() -> str:
    """The table of the paper's findings, as the page shows it."""
    asked = {claim for finding in FINDINGS.values() for claim in finding.claims}
    return tables.findings(verdicts([CLAIMS[claim] for claim in asked]), FINDINGS, dict.fromkeys(FINDINGS, "05-alignment.ipynb")).data


def seen(what: str) -> int:
    """How many of the paper's findings have this verdict."""
    return findings().count(f"<strong>{what}</strong>")


class _Words(dict):
    """Small numbers in words; one that is too large stays in figures, so that a row that fails shows it."""

    def __missing__(self, number: int) -> str:
        return str(number)


IN_WORDS = _Words(enumerate(("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")))
