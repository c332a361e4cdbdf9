"""What half precision changes is counted against float32, and a change that is planted is found."""

import pytest
import torch

from anira.evaluation.precision import PRECISIONS, half_precision
from anira.model.anira import Anira, Config
from anira.tasks import Brevo

TASK = Brevo(sizes=[3, 4])


def build(decider: str = "online") -> Anira:
    config = Config(vocabulary=len(TASK.vocabulary), decider=decider, width=16, hidden=24, heads=2, decider_hidden=16, max_depth=4)
    model = Anira(config).initialize(torch.Generator().manual_seed(0))
    torch.nn.init.normal_(model.decider.head[-1].weight, generator=torch.Generator().manual_seed(1))
    return model.eval()


def test_float32_differs_by_rounding_and_half_precision_by_more():
    model = build()
    before = {name: x.clone() for name, x in model.state_dict().items()}
    table = half_precision(model, TASK, 6, 0).set_index(["execution", "precision"])
    assert len(table) == 3 * len(PRECISIONS) and (table["tokens"] > 0).all()
    for execution in ("dense", "sparse", "decoding"):
        part = table.loc[execution]
        assert part.loc["float32", ["other_depth", "other_token", "other_answer"]].eq(0).all() and part.loc["float32", "largest_move"] < 1e-4
        halves = part.drop("float32")
        assert halves["median_move"].between(1e-5, 0.05).all() and (halves["largest_move"] > 1e-4).all()
        assert part.loc["bfloat16", "median_move"] > 2 * part.loc["float16", "median_move"]  # 8 bits of precision against 11
    assert all(torch.equal(x, before[name]) for name, x in model.state_dict().items())


def test_a_decision_that_half_precision_must_turn_is_counted():
    """Logits of depths 2 and 3 that differ by less than bfloat16 tells apart: the first of equals wins there, the second in float32."""
    model = build("early")
    with torch.no_grad():
        model.decider.head[-1].weight.zero_()
        model.decider.head[-1].bias.copy_(torch.tensor([0.0, 1.0, 1.0 + 1e-4, 0.0]))
    table = half_precision(model, TASK, 3, 0, precisions=["float32", "bfloat16"]).set_index(["execution", "precision"])["other_depth"]
    assert table.xs("bfloat16", level=1).eq(1).all() and table.xs("float32", level=1).eq(0).all()


def test_what_cannot_be_counted_is_refused():
    with pytest.raises(ValueError, match="float8"):
        half_precision(build(), TASK, 2, 0, precisions=["float8"])
    with pytest.raises(ValueError, match="no sparse|neither sparse"):
        half_precision(build().with_decider("confident"), TASK, 2, 0)
