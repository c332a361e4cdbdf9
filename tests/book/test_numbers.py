"""The numbers that the book says are those of the stored tables and the shipped models.

`tests/book/numbers` has a row for each: the words around the numbers as they stand in the text, and what they are. A number of
a box, or one with a decimal point or a percent sign elsewhere, that no row holds fails. A sentence that claims something is
held by its link (`tests/analysis/claims/test_links.py`), or by a test at the end of this module.
"""

import re

import pytest
import torch

import anira
from anira.analysis.dynamics import last_records, rise_and_fall
from anira.analysis.generalization import own_conditions
from anira.analysis.need import answers_over_depth, over_models
from anira.bench.suite import break_even
from anira.explorer.problems import read as read_problem
from anira.explorer.widget import EXAMPLES
from anira.model.decoding import generate
from tests.book.numbers import BOOK, CHAPTERS, box, prose
from tests.book.numbers.cost import chosen, measured
from tests.book.numbers.tables import exact_on, readouts

ROWS = [(chapter, words, numbers) for chapter, module in CHAPTERS.items() for words, numbers in module.HELD]
COMPLETE = [
    "01-welcome",
    "03-brevo",
    "04-architecture",
    "05-alignment",
    "06-timing",
    "07-generalization",
    "08-cost",
    "09-beyond",
    "10-training",
    "11-tasks",
]  # chapters of which every number is held


@pytest.mark.parametrize(("chapter", "words", "numbers"), ROWS, ids=[f"{chapter}: {words[:40]}" for chapter, words, _ in ROWS])
def test_the_text_says_what_the_tables_say(chapter, words, numbers):
    assert words.format(*numbers()) in prose(chapter)


def left(text: str, chapter: str) -> str:
    """The text without what rows hold and without what is quoted."""
    for words, numbers in CHAPTERS[chapter].HELD if chapter in CHAPTERS else ():
        text = text.replace(words.format(*numbers()), "")
    for words in quoted(chapter):
        text = text.replace(words, "")
    return text


def quoted(chapter: str) -> dict[str, str]:
    return getattr(CHAPTERS.get(chapter), "QUOTED", {})


def test_what_is_quoted_stands_in_the_text():
    assert [(chapter, words) for chapter in CHAPTERS for words in quoted(chapter) if words not in prose(chapter)] == []


@pytest.mark.parametrize("chapter", sorted(path.stem for path in BOOK.glob("*.ipynb") if box(path.stem)))
def test_every_number_of_a_box_is_held(chapter):
    assert re.findall(r"\d[\d.]*", left(box(chapter), chapter)) == []


@pytest.mark.parametrize("chapter", COMPLETE)
def test_every_decimal_and_every_percentage_of_a_chapter_is_held(chapter):
    assert re.findall(r"−?\d*\.\d+|\d+(?= %)", left(prose(chapter), chapter)) == []


def test_what_beyond_says_of_predictions_that_change_under_fixed_depth():
    found = over_models(readouts(), answers_over_depth).query("quantity == 'changed' and size == 'all'")
    changed = found.pivot(index="iteration", columns="decider", values="estimate")
    assert (changed.loc[[4, 5], "fixed"] > 0.1).all()  # "often"


def test_what_generalization_says_of_untied_models_on_chains_and_trees():
    chains, trees = ({decider: exact_on(decider, 8, family) for decider in ("untied", "early", "online", "fixed")} for family in ("chains", "tree"))
    assert all(chains["untied"].min() > chains[decider].max() for decider in ("early", "online", "fixed"))
    assert [decider for decider in chains if trees[decider].mean() < chains[decider].mean()] == ["untied"]


def test_what_generalization_says_of_expressions_of_five_operators():
    right = own_conditions(anira.results("generalization", "mano-tiny")).groupby(["decider", "size"])["exact_match"].mean().unstack()
    kept = (right[5] - 1 / 5) / (right[3] - 1 / 5)
    assert kept[["early", "online", "fixed"]].between(0.05, 0.15).all()  # "nine tenths" are lost


def test_what_cost_says_of_batches_and_widths():
    limits = break_even(measured("cpu")).pivot(index=["decider", "width"], columns="batch", values="break_even")
    on_gpu = chosen(measured("gpu"), contender="sparse").pivot(index=["mean_depth", "batch"], columns="width", values="speed_up")
    assert (limits.diff(axis=1).iloc[:, 1:] > 0).all(axis=None)  # "the limit rises with the batch"
    assert (limits.loc["online"] < limits.loc["early"]).all(axis=None)
    assert (on_gpu.diff(axis=1).iloc[:, 1:] > 0).all(axis=None) and (on_gpu.groupby("mean_depth").diff().dropna() > 0).all(axis=None)


def test_what_cost_says_of_training_and_decoding():
    gained = chosen(measured("cpu"), mean_depth=2).pivot_table(index=["decider", "width"], columns=["contender", "work"], values="speed_up")
    assert (gained["dense", "training"] < 1).all() and (gained["sparse", "decoding"] < gained["sparse", "training"]).all()


def test_clrs_does_what_chapter_11_says():
    pilot = anira.results("pilot", "clrs-short")
    mean = pilot.query("size <= 12").groupby(["problem", "decider", "place"])["exact_match"].mean().unstack()
    lost = mean["trained"] - mean["between"]
    assert (lost[["sorting", "binary search"]] > 0.2).all() and (lost["minimum"] < 0.05).all()
    depth = pilot.pivot(index=["problem", "decider"], columns="size", values="depth")
    assert ((depth[16] - depth[4]).abs() < 0.45).all()  # "about the same at all sizes"


def test_of_clrs_place_decides_and_not_length():
    places = anira.results("pilot", "clrs-places").set_index(["decider", "problem", "size", "number"])["depth"].sort_index()
    for problem in ("minimum", "sorting"):
        short, long = places["online", problem, 10], places["online", problem, 16][:10]
        assert (short - long).abs().max() < 0.2, "a number gets the same in a short list and in a long one"
    assert places["online", "minimum", 16][10:].min() > places["online", "minimum", 16][:9].max(), "a later number gets more"
    assert (places["early"].round() == 4).mean() > 0.9, "four iterations for nearly every number"


def test_with_a_price_from_the_start_depth_rises_and_falls_as_figure_10_6_says():
    curves = anira.results("training", "brevo-tiny").query("variation == 'constant'")
    paths = rise_and_fall(curves, "depth")
    assert (paths["peak_step"] > curves["step"].max() / 3).all() and (paths["fall"] > 0.5).all() and curves["depth"].max() < 5.5


def test_the_first_picture_shows_what_its_caption_says():
    depths = {}
    for decider in ("early", "online"):
        model, task, _ = anira.load(f"brevo-{decider}-tiny")
        prompt = task.vocabulary.encode(read_problem(task, EXAMPLES["graph"]))
        tokens, output, *_ = generate(model, torch.tensor(prompt), end_token=task.end_token, max_new_tokens=9)
        depths[decider] = output.depths[0, len(prompt) - 1 :].tolist()[: len(tokens) - 1]
    assert len(set(depths["early"])) == 1 and depths["online"][1] == 2 * depths["online"][-1]


MODELS = re.findall(
    r"^\| (\w+) \| (BREVO|MANO) `([\w-]+)`(?:, ([γ\w ]+))? \| (\d+) \| (\d+) \| (\S+)(?: \(\S+\))? \| (\S+) \| (\S+) \|$",
    (BOOK / "models/README.md").read_text(encoding="utf-8"),
    re.MULTILINE,
)


@pytest.mark.parametrize(("decider", "task", "preset", "schedule", "size", "seeds", "exact", "answer", "prompt"), MODELS)
def test_the_table_of_stored_models_says_what_their_curves_say(decider, task, preset, schedule, size, seeds, exact, answer, prompt):
    variation = {"": "none", "γ constant": "constant", "γ rising": "ramped"}.get(schedule, schedule)
    curves = anira.results("training", f"{task.lower()}-{preset}")
    ends = last_records(curves[(curves["decider"] == decider) & (curves["variation"] == variation)]).query(f"size == {size}")
    means = ends[["exact_match", "depth", "prompt_depth"]].mean()
    assert len(ends) == int(seeds) and len(MODELS) > 30
    for value, text in zip(means, (exact, answer, prompt), strict=True):
        assert abs(value - float(text)) <= 0.5 * 10 ** -len(text.partition(".")[2]) + 1e-9
