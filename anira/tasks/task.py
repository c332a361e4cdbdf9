"""What a task is: it draws instances, knows their answers, and knows how hard each token is.

A task is a small frozen object such as `Brevo(sizes=range(3, 9))`. Everything random comes from the
`numpy.random.Generator` that is passed in, so the same seed gives the same data on any machine.
Nothing here knows a model: a task hands out integer tokens and numbers.

Shapes use B for instances in a batch and T for tokens.
"""

import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
import torch

Split = Literal["train", "held_out", "any"]


@dataclass(frozen=True)
class Feature:
    """One measure of a token's difficulty, declared as data.

    `kind` is "structure" when the prompt alone determines it and "state" when it takes executing the
    algorithm to know it. `where` says which tokens have a value: those of the prompt or of the answer.
    """

    kind: Literal["structure", "state"]
    where: Literal["prompt", "answer"]
    meaning: str


class Vocabulary:
    """A bijection between readable token names and the integers 0..len-1.

    >>> vocabulary = Vocabulary(["<bos>", "a", "b"])
    >>> vocabulary.encode(["a", "<bos>"])
    [1, 0]
    >>> vocabulary.decode([2, 2])
    ['b', 'b']
    """

    def __init__(self, names: Iterable[str]):
        self.names = tuple(names)
        self._ids = {name: i for i, name in enumerate(self.names)}
        if len(self._ids) != len(self.names):
            raise ValueError(f"Token names must differ from each other, received {self.names}.")

    def __len__(self) -> int:
        return len(self.names)

    def encode(self, names: Iterable[str]) -> list[int]:
        """Ids of the given token names; `ValueError` for a name outside the vocabulary."""
        names = list(names)
        unknown = [name for name in names if name not in self._ids]
        if unknown:
            raise ValueError(f"Unknown tokens {unknown}. This vocabulary has {', '.join(self.names)}.")
        return [self._ids[name] for name in names]

    def decode(self, ids: Iterable[int]) -> list[str]:
        """Names of the given ids; `ValueError` for an id outside 0..len-1."""
        ids = [int(i) for i in ids]
        outside = [i for i in ids if not 0 <= i < len(self.names)]
        if outside:
            raise ValueError(f"Unknown token ids {outside}. This vocabulary has ids 0 to {len(self.names) - 1}.")
        return [self.names[i] for i in ids]


@dataclass(frozen=True)
class Instance:
    """One problem with its only valid answer. Two of the same tokens are equal, so that a set counts what is drawn twice.

    `features` maps a feature's name to one value per token of prompt and answer together, NaN where
    the feature says nothing about that token. `source` is what the tokens stand for: a graph, an
    expression tree.
    """

    prompt: tuple[int, ...]
    answer: tuple[int, ...]
    size: int
    source: Any = field(compare=False)
    features: Mapping[str, np.ndarray] = field(repr=False, compare=False)

    @property
    def tokens(self) -> tuple[int, ...]:
        """Prompt, then answer."""
        return self.prompt + self.answer


@dataclass(frozen=True, eq=False)
class Batch:
    """Instances side by side, padded on the right with token 0.

    tokens (B, T) int64 · answer_mask (B, T) bool, True on answer tokens · lengths (B,) int64, tokens
    without padding · sizes (B,) int64.
    """

    tokens: torch.Tensor
    answer_mask: torch.Tensor
    lengths: torch.Tensor
    sizes: torch.Tensor

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def token_mask(self) -> torch.Tensor:
        """(B, T) bool, True on tokens that are not padding."""
        return torch.arange(self.tokens.shape[1], device=self.tokens.device) < self.lengths[:, None]

    def to(self, device: torch.device | str) -> "Batch":
        """The same batch on another device."""
        return Batch(*(getattr(self, name).to(device) for name in ("tokens", "answer_mask", "lengths", "sizes")))

    def select(self, rows: torch.Tensor) -> "Batch":
        """The given rows, cut to the longest of them."""
        longest = int(self.lengths[rows].max())
        return Batch(self.tokens[rows, :longest], self.answer_mask[rows, :longest], self.lengths[rows], self.sizes[rows])

    def buckets(self, count: int) -> list["Batch"]:
        """The batch cut by length into `count` parts of (almost) equal numbers of instances.

        Together they hold the same instances with far less padding, so a sum over buckets is the
        sum over the batch.
        """
        return [self.select(rows) for rows in self.lengths.argsort(stable=True).tensor_split(count) if len(rows)]


def collate(instances: Sequence[Instance]) -> Batch:
    """Instances as one right-padded `Batch`."""
    lengths = [len(instance.tokens) for instance in instances]
    tokens = np.zeros((len(instances), max(lengths)), dtype=np.int64)
    answer_mask = np.zeros_like(tokens, dtype=bool)
    for row, instance in enumerate(instances):
        tokens[row, : lengths[row]] = instance.tokens
        answer_mask[row, len(instance.prompt) : lengths[row]] = True
    sizes = torch.tensor([instance.size for instance in instances])
    return Batch(torch.from_numpy(tokens), torch.from_numpy(answer_mask), torch.tensor(lengths), sizes)


def to_batch(tokens: np.ndarray, prompt_lengths: np.ndarray, lengths: np.ndarray, sizes: np.ndarray) -> Batch:
    """A `Batch` from the padded rows of a bulk generator, cut to the longest of them.

    tokens (B, T) int64 · prompt_lengths, lengths, sizes (B,) int64: row i holds `prompt_lengths[i]` tokens
    of prompt, then answer up to `lengths[i]`, then padding.
    """
    tokens = np.ascontiguousarray(tokens[:, : lengths.max()])
    positions = np.arange(tokens.shape[1])
    answer_mask = (positions >= prompt_lengths[:, None]) & (positions < lengths[:, None])
    return Batch(*(torch.from_numpy(array) for array in (tokens, answer_mask, lengths, sizes)))


class Task(Protocol):
    """What the rest of the library asks of a task. A task of your own needs these members, and `register` to be found by name.

    Beside them, `batch_with_features`, of the same arguments as `batch`, gives the features of a batch too; `probe` asks for it.
    """

    @property
    def name(self) -> str: ...

    @property
    def symbol(self) -> str:
        """The letter for a size: N, L, k."""

    @property
    def knob(self) -> str:
        """What a size counts."""

    @property
    def source(self) -> str:
        """Where the task is from."""

    @property
    def sizes(self) -> Sequence[int]:
        """The sizes that `batch` mixes when none is given."""

    @property
    def size_limits(self) -> tuple[int, int]:
        """The smallest and the largest size that it can make."""

    @property
    def vocabulary(self) -> Vocabulary: ...

    @property
    def features(self) -> Mapping[str, Feature]: ...

    @property
    def end_token(self) -> int | None:
        """The answer token that ends every answer, None when answers have a fixed length."""

    @property
    def unique_answer(self) -> bool:
        """Whether a prompt has one right answer, so that exact match says something."""

    def sample(self, size: int, rng: np.random.Generator, *, split: Split = "any") -> Instance:
        """One instance of the given size, among those for training, those held out, or all."""

    def batch(self, n: int, rng: np.random.Generator, size: int | None = None, *, split: Split = "any") -> Batch:
        """`n` instances, of one size or of the task's mixture of sizes, among those for training, those held out, or all."""

    def held_out(self, instance: Instance | Sequence[int]) -> bool:
        """Whether the problem that an instance or its tokens pose is held out from training."""

    def problems(self, size: int) -> int | None:
        """How many different problems of this size there are, None where they are too many to matter or to count."""

    def max_length(self, size: int) -> int:
        """Tokens of the longest instance that this size can have."""


MEMBERS = tuple(name for name in vars(Task) if not name.startswith("_"))


def whole(value: Any, what: str) -> int:
    """A whole number of any kind, numpy's too, as an int; `ValueError` that says what it should have been."""
    if isinstance(value, bool | np.bool_) or not hasattr(value, "__index__"):
        raise ValueError(f"{what} must be a whole number, received {value!r:.100}.")
    try:
        return operator.index(value)
    except TypeError:
        raise ValueError(f"{what} must be a whole number, received {value!r:.100}.") from None


def check_sizes(sizes: Iterable[int], smallest: int, largest: int, task: str) -> tuple[int, ...]:
    """`sizes` as a tuple of ints, or a `ValueError` that names the sizes which the task cannot make.

    >>> check_sizes(np.arange(3, 5), 1, 10, "Addition")
    (3, 4)
    """
    if isinstance(sizes, str | bytes | Mapping) or not hasattr(sizes, "__iter__"):
        raise ValueError(f"{task} takes several sizes, such as range({smallest}, {smallest + 2}), received {sizes!r:.100}.")
    checked = tuple(whole(size, f"A size of {task}") for size in sizes)
    if not checked or not smallest <= min(checked) <= max(checked) <= largest:
        raise ValueError(f"{task} makes sizes {smallest} to {largest}, received {list(checked)!s:.200}.")
    return checked


def size_probabilities(sizes: np.ndarray) -> np.ndarray:
    """The share of each size in a mixture, proportional to 1 / (size + √largest) (PhysicsLM 4.1)."""
    weights = 1 / (sizes + np.sqrt(sizes.max()))
    return weights / weights.sum()


def draw_sizes(sizes: Sequence[int], n: int, rng: np.random.Generator) -> np.ndarray:
    """`n` sizes, independent, each with its `size_probabilities`."""
    known = np.asarray(sizes)
    return rng.choice(known, size=n, p=size_probabilities(known))
