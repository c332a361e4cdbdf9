"""The stored tables: each keeps to what is declared, is found from anywhere, and says what is not there."""

import importlib
import sys

import pandas as pd
import pytest

import anira
from anira.results import UnknownTable, all_declared, check, declared, read, tables
from anira.tasks import TASKS
from tests.results.stored import store

ALL = all_declared()


@pytest.mark.parametrize(("kind", "name"), ALL, ids=map("/".join, ALL))
def test_every_declared_table_is_stored_and_has_its_columns_and_no_others(kind, name):
    table, declaration = read(kind, name), declared(kind, name)
    features = {feature for task in set(table.get("task", [])) for feature in declaration.features.get(task, [])}
    assert set(table) == {*declaration.columns, *features}


def test_no_table_is_stored_that_is_not_declared():
    assert set(tables()[["kind", "name"]].itertuples(index=False, name=None)) == set(ALL)


def test_the_features_of_traces_are_those_that_their_task_declares():
    for kind, name in ALL:
        if kind == "traces":
            task = name.split("-")[0]
            assert set(declared(kind, name).features[task]) <= set(TASKS[task].features)


def test_the_package_folder_is_called_like_a_function_however_it_was_imported():
    importlib.import_module("anira.results.make")
    assert anira.results is sys.modules["anira.results"]
    pd.testing.assert_frame_equal(anira.results("question", "mano-tiny"), read("question", "mano-tiny"))


def test_a_pattern_reads_several_tables_one_below_the_other():
    curves = anira.results("training", "brevo-minute*")
    assert set(curves["preset"]) == {"minute", "minute-gap"} and set(curves["variation"]) == {"none", "constant", "ramped"}
    assert len(curves) == sum(len(read("training", name)) for name in ("brevo-minute", "brevo-minute-gap"))


@pytest.mark.parametrize(
    ("kind", "name", "message"),
    [
        ("trace", "brevo-tiny", "kind 'trace'. Kinds: training, "),
        ("traces", "brevo-large", "'brevo-large' of the kind 'traces'. There are: brevo-small, brevo-tiny, brevo-tiny-constant, "),
        ("bench", "tpu", "'tpu' of the kind 'bench'. There are: cpu, gpu, profile"),
    ],
)
def test_what_is_not_there_is_answered_by_what_is(kind, name, message):
    with pytest.raises(UnknownTable, match=message):
        anira.results(kind, name)


def test_a_folder_of_ones_own_stands_in_and_a_missing_one_is_an_error(tmp_path):
    store(tmp_path, "probes", "mine-tiny", pd.DataFrame({"model": ["a", "b"], "feature": "length", "estimate": [0.5, 0.25]}))
    assert anira.results("probes", "mine-tiny", folder=tmp_path)["estimate"].tolist() == [0.5, 0.25]
    with pytest.raises(UnknownTable, match="in .*There are: mine-tiny"):
        anira.results("probes", "brevo-tiny", folder=tmp_path)
    with pytest.raises(FileNotFoundError, match="no folder"):
        anira.results("probes", "brevo-tiny", folder=tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda text: text.replace("exact_match", "exact", 1), r"generalization/mano-tiny\.csv lacks the columns \['exact_match'\]"),
        (lambda text: text.replace(",none,", ",,", 1).replace(",6,True,trained,1,", ",,True,trained,1,", 1), "column 'max_depth' should be int"),
        (lambda text: text.replace(",6,True,trained,1,", ",6.5,True,trained,1,", 1), "column 'max_depth' should be int, .* not whole, such as 6.5"),
        (lambda text: text.replace(",True,trained,1,", ",yes,trained,1,", 1), "column 'own' should be bool"),
        (lambda text: text + text.splitlines()[1] + "\n", "has rows twice, such as .*mano-early-tiny-0"),
        (lambda text: text.replace(",trained,1,1000,1.0,", ",trained,1,1000,,", 1), r"undefined values in \['exact_match'\]"),
        (lambda text: text.replace(",trained,1,1000,1.0,", ",trained,1,1000,most,", 1), "column 'exact_match' should be float"),
    ],
)
def test_a_damaged_table_is_refused_with_its_name_and_what_is_wrong(tmp_path, damage, message):
    path = tmp_path / "generalization/mano-tiny.csv"
    read("generalization", "mano-tiny").to_csv((path.parent.mkdir(), path)[1], index=False)
    anira.results("generalization", "mano-tiny", folder=tmp_path)
    path.write_text(damage(path.read_text()))
    with pytest.raises(ValueError, match=message):
        anira.results("generalization", "mano-tiny", folder=tmp_path)


def test_words_that_pandas_takes_for_missing_stay_words(tmp_path):
    store(tmp_path, "probes", "mine-tiny", pd.DataFrame({"model": ["null"], "feature": ["NA"], "reason": [""]}))
    row = anira.results("probes", "mine-tiny", folder=tmp_path).iloc[0]
    assert (row["model"], row["feature"], row["reason"]) == ("null", "NA", "")


def test_identity_stands_in_columns_of_every_table_of_models():
    for kind, name in ALL:
        table = read(kind, name)
        if "model" in table:
            assert (table["task"] + "-" + table["preset"] == name.removesuffix("-constant").removesuffix("-longer")).all()
            runs = table.drop_duplicates(["task", "decider", "preset", "run_seed", "variation"])
            assert len(runs) == table["model"].nunique() and (runs["variation"] != "").all()


def test_rows_in_another_order_say_the_same():
    from anira.analysis.generalization import own_conditions

    table = read("generalization", "brevo-tiny")
    mixed = table.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(own_conditions(mixed).sort_index(), own_conditions(table))
    assert set(own_conditions(table)["max_depth"]) == {6} and set(own_conditions(table)["family"]) == {"physics"}
    check(mixed, declared("generalization", "brevo-tiny"))
