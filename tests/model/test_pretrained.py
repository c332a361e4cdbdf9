"""A decider on somebody else's Llama: a tiny one of our own, trained for a moment on the beginning of Alice's Adventures in Wonderland (1865)."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F

from anira.analysis.alignment import alignment
from anira.analysis.frames import check_trace
from anira.model.deciders import Sample
from anira.model.decoding import generate
from anira.model.flops import dense_cost
from anira.model.pretrained import LoopedLlama, load_llama
from anira.model.watching import answers_over_depth
from anira.training.loss import cross_entropy_sum, divergence_sum

transformers = pytest.importorskip("transformers", reason="transformers is not installed: pip install -e .[bench]")

TEXT = (Path(__file__).parent / "alice.txt").read_text(encoding="utf-8")
LETTERS = sorted(set(TEXT))
STREAM = torch.tensor([LETTERS.index(letter) for letter in TEXT])
CORE, D, LENGTH = (1, 3), 3, 48


def lines(rng: np.random.Generator, count: int = 8) -> torch.Tensor:
    """Pieces of the text (count, LENGTH), one token a letter."""
    return torch.stack([STREAM[start : start + LENGTH] for start in rng.integers(len(STREAM) - LENGTH, size=count)])


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A Llama of four layers, two of them for keys and values of two heads each, as `transformers` writes it."""
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=len(LETTERS),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=64,
    )
    llama, rng = transformers.LlamaForCausalLM(config), np.random.default_rng(0)
    optimizer = torch.optim.AdamW(llama.parameters(), lr=5e-3)
    for _ in range(60):
        tokens = lines(rng)
        F.cross_entropy(llama(tokens).logits[:, :-1].flatten(0, 1), tokens[:, 1:].flatten()).backward()
        optimizer.step()
        optimizer.zero_grad()
    path = tmp_path_factory.mktemp("llama")
    llama.save_pretrained(path)
    return path


@pytest.fixture
def llama(folder):
    return transformers.LlamaForCausalLM.from_pretrained(folder, attn_implementation="eager").eval()


def load(folder: Path, **options) -> LoopedLlama:
    return load_llama(folder, **{"core": CORE, "max_depth": D, "generator": torch.Generator().manual_seed(1), **options})


@pytest.mark.parametrize("core", [(0, 1), (1, 2), (1, 3), (0, 4), (3, 4)])
def test_one_iteration_is_the_llama_that_was_loaded(folder, llama, core):
    tokens = lines(np.random.default_rng(1), 4)
    with torch.no_grad():
        torch.testing.assert_close(load(folder, core=core)(tokens, depths=1).logits, llama(tokens).logits, rtol=0, atol=1e-5)


def test_full_depth_is_the_llama_with_its_core_written_out(folder, llama):
    """Against transformers' own stack of layers, in which those of the core stand D times."""
    tokens, (first, end) = lines(np.random.default_rng(2), 4), CORE
    layers = list(llama.model.layers)
    llama.model.layers = torch.nn.ModuleList([*layers[:first], *layers[first:end] * D, *layers[end:]])
    llama.config.num_hidden_layers = len(llama.model.layers)
    model = load(folder)
    with torch.no_grad():
        expected = llama(tokens, use_cache=False).logits
        for logits in (model(tokens, depths=D).logits, model.trunk(tokens), model.with_decider("fixed")(tokens).logits):
            torch.testing.assert_close(logits, expected, rtol=0, atol=1e-5)


def test_a_halted_token_keeps_its_state_and_stays_visible(folder):
    model, tokens = load(folder), lines(np.random.default_rng(3), 3)
    depths = torch.randint(1, D + 1, tokens.shape, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        rotation = model.rotation(LENGTH)
        h = model.prelude(model.embedding(tokens), rotation)
        for d in range(1, D + 1):
            h = torch.where((depths >= d)[..., None], model.core(h, rotation), h)
        torch.testing.assert_close(model(tokens, depths=depths).logits, model.readout(h, rotation), rtol=0, atol=1e-5)
        torch.testing.assert_close(answers_over_depth(model, tokens, depths)[-1], model(tokens, depths=depths).logits, rtol=0, atol=1e-5)


@pytest.mark.parametrize("decider", ["early", "online", "hybrid"])
def test_the_decider_alone_learns_and_its_choices_can_be_analysed(folder, decider):
    model, rng = load(folder, decider=decider), np.random.default_rng(4)
    model.decider.deepen(1.0)
    before = {name: x.clone() for name, x in model.state_dict().items()}
    learning = [parameter for parameter in model.parameters() if parameter.requires_grad]
    assert sum(map(torch.numel, learning)) == sum(map(torch.numel, model.decider.parameters()))
    optimizer, spent = torch.optim.AdamW(learning, lr=5e-3), []
    for step in range(25):
        tokens = lines(rng)
        output, everywhere = model(tokens[:, :-1], select=Sample(torch.Generator().manual_seed(step))), torch.ones_like(tokens[:, 1:], dtype=torch.bool)
        loss = (cross_entropy_sum(output.logits, tokens[:, 1:], everywhere) + 0.3 * divergence_sum(output, everywhere, 2.0)) / everywhere.sum()
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        spent.append(float(output.expected_depths.detach().mean()))
    assert np.mean(spent[-5:]) < spent[0] - 0.3  # the Llama was trained for one iteration, so more are of no use
    moved = {name for name, x in model.state_dict().items() if not torch.equal(x, before[name])}
    assert moved and all(name.startswith("decider.") for name in moved)

    tokens = lines(np.random.default_rng(5), 30)
    with torch.no_grad():
        output = model(tokens)
    right = output.logits[:, :-1].argmax(-1) == tokens[:, 1:]
    in_word = torch.zeros_like(tokens)  # letters since the last space
    for t in range(1, LENGTH):
        in_word[:, t] = torch.where(tokens[:, t] == LETTERS.index(" "), 0, in_word[:, t - 1] + 1)
    rows = {
        "instance": np.repeat(np.arange(30), LENGTH - 1),
        "size": LENGTH,
        "position": np.tile(np.arange(1, LENGTH), 30),
        "depth": output.depths[:, :-1].flatten().numpy(),
        "expected_depth": output.expected_depths[:, :-1].flatten().numpy(),
        "correct": right.flatten().numpy(),
        "letters": in_word[:, :-1].flatten().numpy().astype(float),
    }
    frame = check_trace(pd.DataFrame(rows))
    assert np.isfinite(alignment(frame, ["letters"], draws=20)["estimate"]).all()


def test_rules_copies_and_other_depths_work(folder):
    model, tokens = load(folder), lines(np.random.default_rng(6), 3)
    with torch.no_grad():
        for rule in ("mode", "mean", "median", 0.2):
            assert model(tokens, select=rule, lengths=torch.tensor([48, 7, 0])).depths.max() <= D
        assert model.with_depth(5)(tokens, select=1.0).depths.max() == 5
        confident = model.with_decider("confident")
        assert len(confident(tokens, select=0.3).depths.unique()) > 1
        half = load(folder, dtype=torch.bfloat16)(tokens)
    assert half.logits.dtype == torch.bfloat16 and half.exit_probs.dtype == torch.float32
    with pytest.raises(ValueError, match="made for 3"):
        load(folder, decider="early").with_depth(5)


def test_what_is_not_supported_is_said(folder, tmp_path):
    model, tokens = load(folder), lines(np.random.default_rng(7), 2)
    gpt = transformers.GPT2LMHeadModel(transformers.GPT2Config(vocab_size=20, n_embd=16, n_layer=2, n_head=2))
    gpt.save_pretrained(tmp_path / "gpt")
    for call, message in [
        (lambda: model(tokens, execution="sparse"), "go on changing"),
        (lambda: generate(model, tokens[0], end_token=None, max_new_tokens=1), "go on changing"),
        (lambda: model(tokens, on_iteration=lambda iteration: iteration.keys_values()), "block of 2 layers"),
        (lambda: dense_cost(model.config, 2, 3), "not counted"),
        (lambda: model.initialize(torch.Generator()), "not drawn afresh"),
        (lambda: load(tmp_path / "gpt"), "Only a LlamaForCausalLM"),
        (lambda: load(tmp_path / "nowhere"), "no folder"),
        (lambda: load(folder, core=(2, 5)), "number of layers"),
        (lambda: load(folder, generator=None), "torch.Generator"),
        (lambda: load(folder, decider="late"), "Unknown decider"),
    ]:
        with pytest.raises(ValueError, match=message):
            call()
