"""On a GPU: the model gives there what it gives on the CPU, and `anira bench` runs. Run with `pytest -m gpu`."""

import pytest
import torch

from anira.bench.contenders import Shape, model_of
from anira.bench.suite import measure
from anira.model.deciders import Sample
from anira.model.decoding import generate_batch
from anira.training.job import Job
from anira.training.loop import Run
from tests.model.random_models import random_model

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")]


@pytest.mark.parametrize("case", range(60))
def test_dense_and_sparse_give_there_what_dense_gives_here(case):
    generator = torch.Generator().manual_seed(case)
    model = random_model(generator)
    tokens = torch.randint(0, 7, (3, 9), generator=generator)
    lengths = torch.tensor([9, 4, 0]) if case % 2 else None
    here = model(tokens, lengths=lengths)
    model.cuda()
    for execution in ("dense", "sparse"):
        there = model(tokens.cuda(), lengths=None if lengths is None else lengths.cuda(), execution=execution)
        assert torch.equal(there.depths.cpu(), here.depths)
        torch.testing.assert_close(there.logits.cpu(), here.logits, rtol=0, atol=1e-10)
        torch.testing.assert_close(there.exit_probs.cpu(), here.exit_probs, rtol=0, atol=1e-10)


@pytest.mark.parametrize("case", range(20))
def test_decoding_there_equals_decoding_here(case):
    generator = torch.Generator().manual_seed(case)
    model = random_model(generator)
    prompts = [torch.randint(0, 7, (int(torch.randint(1, 9, (1,), generator=generator)),), generator=generator) for _ in range(5)]
    here = generate_batch(model, prompts, end_token=3, max_new_tokens=6)
    there = generate_batch(model.cuda(), prompts, end_token=3, max_new_tokens=6)
    for (answer, output, _), (other, far, _) in zip(here, there, strict=True):
        assert torch.equal(answer, other.cpu()) and torch.equal(output.depths, far.depths.cpu())


@pytest.mark.parametrize("decider", ["early", "online"])
def test_a_training_step_has_gradients_there(decider):
    model = random_model(torch.Generator().manual_seed(0), decider).cuda()
    output = model(torch.randint(0, 7, (3, 9)).cuda(), select=Sample(torch.Generator("cuda").manual_seed(0)))
    output.logits.sum().backward()
    assert all(parameter.grad is not None and parameter.grad.isfinite().all() for parameter in model.parameters())


def test_a_run_that_is_resumed_there_arrives_where_an_unbroken_one_does(tmp_path):
    job = Job("brevo", "online", "minute")
    start = lambda: Run.start(job.recipe, "online", 0, job.header, "cuda")  # noqa: E731
    unbroken = start()
    for _ in range(4):
        unbroken.advance()
    first, second = start(), start()
    for _ in range(2):
        first.advance()
    first.save(tmp_path / "state.safetensors")
    second.restore(tmp_path / "state.safetensors")
    for _ in range(2):
        second.advance()
    second.check_finite()
    assert second.record()["cross_entropy"] == pytest.approx(unbroken.record()["cross_entropy"], rel=1e-3)
    for name, parameter in unbroken.model.state_dict().items():
        torch.testing.assert_close(second.model.state_dict()[name], parameter, rtol=1e-4, atol=1e-5)  # sums on a GPU have no fixed order


def test_a_step_of_the_trunk_there_is_one_here():
    job, steps = Job("brevo", "online", "minute"), {}
    for device in ("cpu", "cuda"):
        run = Run.start(job.recipe, "online", 0, job.header, device)
        steps[device] = float(run.advance()["cross_entropy"]), float(run.measured[-1]["gradient_norm"])
    assert steps["cuda"] == pytest.approx(steps["cpu"], rel=1e-4)


@pytest.mark.parametrize("work", ["prefill", "training", "decoding"])
def test_every_kind_of_work_is_measured_there(work):
    table = measure(work, Shape(48, 4, 16), torch.device("cuda"), repetitions=2, new_tokens=4)
    assert (table["seconds"] > 0).all() and not table["device"].str.startswith("cpu").any()


@pytest.mark.parametrize("decider", ["early", "online"])
def test_large_batches_are_faster_sparse_than_dense_there(decider):
    shape = Shape(512, 256, 256, 2.0, decider)
    table = measure("prefill", shape, torch.device("cuda"), repetitions=7)
    median = table.groupby("contender")["seconds"].median()
    assert median["sparse"] < median["dense"], median
    assert model_of(shape, torch.device("cuda")).unembedding.weight.is_cuda
