"""Given depths change what they should and nothing else, and a need for depth that was planted is found."""

import numpy as np
import pandas as pd
import pytest
import torch

from anira.analysis.interventions import effects
from anira.evaluation.interventions import AMONG_INSTANCES, IN_INSTANCE, exchanged, intervene
from anira.evaluation.trace import trace
from anira.model.anira import Anira, Config, Output
from anira.tasks import Brevo


class Needy(torch.nn.Module):
    """A model that predicts a token rightly if it gets at least `need` iterations: 1 or 4, by the token itself."""

    def __init__(self, task):
        super().__init__()
        self.config = Config(vocabulary=len(task.vocabulary))
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.vocabulary, self.end = len(task.vocabulary), task.end_token

    def forward(self, tokens, depths=None):
        following = torch.nn.functional.pad(tokens[:, 1:], (0, 1), value=self.end)
        need = torch.where(following % 2 == 0, 4, 1)
        depths = need if depths is None else depths
        said = torch.where(depths >= need, following, (following + 1) % self.vocabulary)
        return Output(torch.nn.functional.one_hot(said, self.vocabulary).float(), depths, torch.ones(*tokens.shape, 6) / 6)


@pytest.fixture(scope="module")
def table():
    task = Brevo(sizes=range(5, 8))
    return intervene(Needy(task), task, task.sizes, 60, seed=0)


def test_a_planted_need_is_found_where_it_is(table):
    rows = effects(table).set_index(["intervention", "amount"])
    chosen = rows.loc[("chosen", 0)]
    assert chosen["accuracy"] == 1 and chosen["moved"] == 0 and chosen["estimate"] == 0
    assert rows.loc[("offset", 1), "accuracy"] == 1
    assert rows.loc[("offset", -1), "high"] < 0 and rows.loc[("fixed", 3), "high"] < 0
    assert rows.loc[("fixed", 4), "accuracy"] == 1
    assert rows.loc[(IN_INSTANCE, 0), "high"] < 0 and rows.loc[(AMONG_INSTANCES, 0), "high"] < 0


def test_shuffling_keeps_the_budget(table):
    spent = table.assign(spent=table["depth"] * table["tokens"])
    by_instance = spent.pivot(index="instance", columns=["intervention", "amount"], values="spent")
    np.testing.assert_allclose(by_instance[(IN_INSTANCE, 0)], by_instance[("chosen", 0)], atol=1e-3)
    by_size = spent.groupby(["size", "intervention"])["spent"].sum().unstack()
    np.testing.assert_allclose(by_size[AMONG_INSTANCES], by_size["chosen"], atol=1e-1)
    assert not np.allclose(by_instance[(AMONG_INSTANCES, 0)], by_instance[("chosen", 0)])


def test_a_model_that_needs_no_depth_loses_nothing():
    task = Brevo(sizes=range(4, 6))
    model = Anira(Config(vocabulary=len(task.vocabulary), decider="fixed", width=16, hidden=24, heads=2, max_depth=3)).initialize(
        torch.Generator().manual_seed(0)
    )
    rows = effects(intervene(model.eval(), task, task.sizes, 10, seed=0)).set_index(["intervention", "amount"])
    same = rows.loc[[("chosen", 0), ("offset", 1), ("offset", 2), ("fixed", 3), (IN_INSTANCE, 0), (AMONG_INSTANCES, 0)]]
    assert (same["moved"] == 0).all() and (same[["estimate", "low", "high"]] == 0).all(axis=None)
    assert (rows.loc[[("offset", -1), ("fixed", 1)], "moved"] == 1).all()


def test_the_chosen_depths_are_those_of_the_trace():
    task = Brevo(sizes=range(4, 6))
    model = Anira(Config(vocabulary=len(task.vocabulary), width=16, hidden=24, heads=2)).initialize(torch.Generator().manual_seed(0)).eval()
    torch.nn.init.normal_(model.decider.head[-1].weight)
    table = intervene(model, task, task.sizes, 10, seed=3).query("intervention == 'chosen'").sort_values("instance")
    frame = trace(model, task, task.sizes, 10, seed=3).groupby("instance")
    np.testing.assert_allclose(table["depth"], frame["depth"].mean(), atol=1e-4)
    assert (table["right"].to_numpy() == frame["correct"].sum().to_numpy()).all()


def test_tables_without_the_chosen_depths_are_refused(table):
    with pytest.raises(ValueError, match="nothing to compare with"):
        effects(table[table["intervention"] != "chosen"])
    with pytest.raises(ValueError, match="lacks moved"):
        effects(table.drop(columns="moved"))
    with pytest.raises(ValueError, match="one by one"):
        effects(pd.concat([table, table]))


def test_two_depths_exchanged_are_what_the_model_says_when_given_them():
    task = Brevo(sizes=range(6, 7))
    model = Anira(Config(vocabulary=len(task.vocabulary), width=16, hidden=24, heads=2)).initialize(torch.Generator().manual_seed(0)).eval()
    torch.nn.init.normal_(model.decider.head[-1].weight)
    instance = next(one for one in (task.sample(6, np.random.default_rng(seed)) for seed in range(50)) if len(one.answer) > 3)
    tokens, first = torch.tensor([instance.tokens]), len(instance.prompt)
    table = exchanged(model, task, instance, 0, 2)
    with torch.no_grad():
        depths = model(tokens).depths
        assert table["depth"].tolist() == depths[0, first - 1 : -1].tolist()
        depths[0, [first - 1, first + 1]] = depths[0, [first + 1, first - 1]]
        said = model(tokens, depths=depths).logits.argmax(-1)
    assert table["depth_exchanged"].tolist() == depths[0, first - 1 : -1].tolist()
    assert table["right_exchanged"].tolist() == (said[0, first - 1 : -1] == tokens[0, first:]).tolist()
    assert table["token"].tolist() == task.vocabulary.decode(list(instance.answer))
    with pytest.raises(ValueError, match="received 0 and 9"):
        exchanged(model, task, instance, 0, 9)
