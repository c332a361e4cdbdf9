"""A task, a decider and a recipe that the library has never seen. Importing this registers them: see the fixture `outside`."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from anira.model.deciders import Online, OnlineRun
from anira.model.deciders import register as register_decider
from anira.tasks import in_split, register
from anira.tasks.task import Feature, Instance, Vocabulary, check_sizes, collate, draw_sizes
from anira.training.presets import Preset

LETTERS = "abcd"


@register
@dataclass(frozen=True)
class Roll:
    """Some letters, then a question about one of them: its answer is that letter, small and large. So easy that a few steps teach it."""

    sizes: tuple[int, ...] = (3, 4, 5)

    name = "roll"
    symbol = "r"
    knob = "letters called before the question, r"
    source = "tests"
    size_limits = (2, 30)
    vocabulary = Vocabulary(["<pad>", "<bos>", "<eos>", *LETTERS, *LETTERS.upper(), *(f"{letter}?" for letter in LETTERS)])
    end_token = 2
    unique_answer = True
    features = {
        "called": Feature("structure", "answer", "letters before the question"),
        "often": Feature("structure", "answer", "how often the letter was called"),
        "ago": Feature("state", "answer", "letters since it was called last, 0 if it never was"),
    }

    def __post_init__(self):
        object.__setattr__(self, "sizes", check_sizes(self.sizes, *self.size_limits, "Roll"))

    def sample(self, size, rng, *, split="any"):
        while True:
            called, asked = rng.integers(len(LETTERS), size=size), int(rng.integers(len(LETTERS)))
            if in_split([*called, asked], split):
                break
        ago = np.flatnonzero(called[::-1] == asked)[:1]
        letter = LETTERS[asked]
        prompt = self.vocabulary.encode(["<bos>", *(LETTERS[i] for i in called), f"{letter}?"])
        answer = self.vocabulary.encode([letter, letter.upper(), "<eos>"])
        values = [size, (called == asked).sum(), ago[0] + 1 if len(ago) else 0]
        columns = [np.array([np.nan] * len(prompt) + [value, value, np.nan]) for value in values]
        return Instance(tuple(prompt), tuple(answer), size, called, dict(zip(self.features, columns, strict=True)))

    def batch(self, n, rng, size=None, *, split="any"):
        return self.batch_with_features(n, rng, size, split=split)[0]

    def batch_with_features(self, n, rng, size=None, *, split="any"):
        sizes = draw_sizes(self.sizes, n, rng) if size is None else [size] * n
        instances = [self.sample(int(k), rng, split=split) for k in sizes]
        batch = collate(instances)
        features = np.full((*batch.tokens.shape, len(self.features)), np.nan)
        for row, instance in zip(features, instances, strict=True):
            row[: len(instance.tokens)] = np.stack(list(instance.features.values()), 1)
        return batch, features

    def held_out(self, instance):
        tokens = np.array(getattr(instance, "tokens", instance))
        end = int(np.flatnonzero(tokens >= 3 + 2 * len(LETTERS))[0])
        return in_split([*(tokens[1:end] - 3), tokens[end] - 3 - 2 * len(LETTERS)], "held_out")

    def problems(self, size):
        return len(LETTERS) ** (size + 1)

    def max_length(self, size):
        return size + 5


@register_decider
class Paced(Online):
    """Online with a pace of its own, one number for each iteration: how ready it is to halt, whatever the state."""

    name = "paced outside"
    any_depth = False

    def __init__(self, width, hidden, max_depth):
        super().__init__(width, hidden, max_depth)
        self.pace = nn.Parameter(torch.linspace(-1, 1, max_depth)[: max_depth - 1].clone())

    def start(self, h, select):
        return OnlineRun(self.head, self.max_depth, h, select, self.pace.expand(*h.shape[:-1], -1))


recipe = Preset(
    task=Roll(),
    model=dict(max_depth=4, width=16, hidden=24, heads=2, decider_hidden=16, max_length=24),
    steps=60,
    batch_size=32,
    learning_rate=1e-2,
    penalty=0.02,
    prior_base=2,
    trunk_steps=30,
    decay_steps=20,
    warmup_steps=5,
    optimizer="muon",
    weight_decay=0.01,
    buckets=1,
    evaluate_every=60,
    evaluation_size=5,
)
