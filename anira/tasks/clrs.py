"""CLRS-Text: thirty textbook algorithms, asked for their result and not for their steps.

Inputs, algorithms and wording are those of the official generator (`pip install "anira[clrs]"`), with reals cut to
three decimals, its default, and without hints, its name for the trace (Veličković et al., 2022; Markeeva et al., 2024).
Algorithms that answer the same question then coincide: four sorts, two string matchers, two convex hulls and three
shortest paths are one problem each, which makes 23 of 30, as many as the paper has (section 4).

    shortest_paths:
    s: 1, A: [[0.0 0.197 0.0], [0.197 0.0 0.529], [0.0 0.529 0.0]]
    pi:
    [1 1 1]

Vectors and matrices are written in the order of their indices: on the shortest path from node 1 to node 2, the last
node before node 2 is node 1. An instance whose answer hangs on how a tie is broken, such as a graph with two shortest
paths, is drawn again, so each question has one valid answer, whichever of its algorithms is asked. What is right is
what the official algorithm gives: `task_scheduling` accepts tasks by falling weight while their deadline is later than
the number accepted, which is not always the best schedule.
"""

import copy
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property

import numpy as np

from anira.tasks.split import ANY, TRIES, sequence_is_held_out, side_of, token_ids, too_few
from anira.tasks.task import Batch, Feature, Instance, Split, Vocabulary, check_sizes, collate

SMALLEST = 4
SIZES = (4, 5, 10, 11, 12, 15, 19, 23, 28, 31)
DECIMALS = 3
NUDGE = 1e-11  # far above the rounding of a sum, far below the smallest difference of two sums or products of reals


@dataclass(frozen=True)
class Problem:
    """One question, the algorithms that answer it, and how it is written.

    `algorithms`: official name → largest size that CLRS-Text trains on, and that it tests on · `inputs`, `outputs`:
    name → kind of each quantity in the text (see KINDS) · `extra`: how much longer than the size its vectors are.
    """

    algorithms: dict[str, tuple[int, int]]
    inputs: dict[str, str]
    outputs: dict[str, str]
    extra: int = 0

    @property
    def trained(self) -> int:
        """The largest size that the official training set has."""
        return max(trained for trained, _ in self.algorithms.values())

    @property
    def largest(self) -> int:
        """The largest size that the official sets have."""
        return max(max(limits) for limits in self.algorithms.values())


# The most tokens that a quantity takes at size n. A real takes 4: sign and integer part, then three decimals.
KINDS = {
    "index": lambda n: 1,
    "indices": lambda n: n + 2,
    "index matrix": lambda n: n * (n + 1) + 1,
    "real": lambda n: 4,
    "reals": lambda n: 4 * n + 2,
    "real matrix": lambda n: n * (4 * n + 1) + 1,
}
GRAPH, WEIGHTED = {"A": "index matrix"}, {"A": "real matrix"}
SOURCE = {"s": "index"}
POINTS = {"x": "reals", "y": "reals"}
STRINGS = {"string": "indices", "key": "indices"}
KEYS = {"key": "reals"}

PROBLEMS = {
    "activity_selector": Problem({"activity_selector": (31, 40)}, {"s": "reals", "f": "reals"}, {"selected": "indices"}),
    "articulation_points": Problem({"articulation_points": (19, 19)}, GRAPH, {"is_cut": "indices"}),
    "bfs": Problem({"bfs": (31, 41)}, SOURCE | GRAPH, {"pi": "indices"}),
    "binary_search": Problem({"binary_search": (31, 64)}, KEYS | {"target": "real"}, {"return": "index"}),
    "bridges": Problem({"bridges": (5, 7)}, GRAPH, {"is_bridge": "index matrix"}),
    "convex_hull": Problem({"graham_scan": (31, 31), "jarvis_march": (12, 13)}, POINTS, {"in_hull": "indices"}),
    "dfs": Problem({"dfs": (23, 20)}, GRAPH, {"pi": "indices"}),
    "find_maximum_subarray_kadane": Problem({"find_maximum_subarray_kadane": (31, 64)}, KEYS, {"start": "index", "end": "index"}),
    "floyd_warshall": Problem({"floyd_warshall": (10, 11)}, WEIGHTED, {"Pi": "index matrix"}),
    "lcs_length": Problem({"lcs_length": (10, 12)}, STRINGS, {"b": "index matrix"}),
    "matrix_chain_order": Problem({"matrix_chain_order": (10, 12)}, {"p": "reals"}, {"s": "index matrix"}),
    "minimum": Problem({"minimum": (31, 64)}, KEYS, {"min": "index"}),
    "mst_kruskal": Problem({"mst_kruskal": (10, 10)}, WEIGHTED, {"in_mst": "index matrix"}),
    "mst_prim": Problem({"mst_prim": (28, 26)}, SOURCE | WEIGHTED, {"pi": "indices"}),
    "optimal_bst": Problem({"optimal_bst": (10, 10)}, {"p": "reals", "q": "reals"}, {"root": "index matrix"}, extra=1),
    "quickselect": Problem({"quickselect": (31, 64)}, KEYS, {"median": "index"}),
    "segments_intersect": Problem({"segments_intersect": (31, 64)}, POINTS, {"intersect": "index"}),
    "shortest_paths": Problem({"bellman_ford": (31, 32), "dijkstra": (28, 25), "dag_shortest_paths": (19, 19)}, SOURCE | WEIGHTED, {"pi": "indices"}),
    "sorting": Problem({"insertion_sort": (31, 25), "bubble_sort": (10, 11), "heapsort": (10, 11), "quicksort": (10, 12)}, KEYS, {"pred": "reals"}),
    "string_matching": Problem({"naive_string_matcher": (31, 64), "kmp_matcher": (31, 64)}, STRINGS, {"match": "index"}),
    "strongly_connected_components": Problem({"strongly_connected_components": (15, 16)}, WEIGHTED, {"scc_id": "indices"}),
    "task_scheduling": Problem({"task_scheduling": (31, 41)}, {"d": "indices", "w": "reals"}, {"selected": "indices"}),
    "topological_sort": Problem({"topological_sort": (23, 21)}, GRAPH, {"topo": "indices", "topo_head": "index"}),
}
ALGORITHMS = {algorithm: name for name, problem in PROBLEMS.items() for algorithm in problem.algorithms}
# The hint that holds the running value of an output, where it is not called like the output with _h behind.
RUNNING = {"return": "high", "start": "best_low", "end": "best_high", "median": "pivot", "match": "s"}

SPECIALS = ("<pad>", "<bos>", "<eos>")
BOS, EOS = 1, 2
PUNCTUATION = ("[", "]", "[[", "], [", "]]", ", ", ": ", ":\n", "\n")
WORDS = sorted({*PROBLEMS, *(word for problem in PROBLEMS.values() for word in (*problem.inputs, *problem.outputs))})
INTEGERS = tuple(f"{space}{value}" for value in range(-1, 65) for space in ("", " "))
REALS = tuple(f"{space}{whole}" for whole in ("0.0", "0.", "-0.", "1.", "-1.") for space in ("", " "))
TOKEN = re.compile(
    r"""\ ?0\.0(?!\d)                                  # no edge, or zero
      | \ ?-?\d\. | (?<=\.)\d | (?<=\.\d)\d | (?<=\.\d\d)\d  # a real: what stands before the point, then digit by digit
      | \ ?-?\d+ | [A-Za-z]\w* | \],\ \[ | \[\[ | \]\] | [\[\]\n] | ,\  | :\n | :\ """,
    re.VERBOSE,
)

FEATURES = {
    "size": Feature("structure", "answer", "size of the input, n"),
    "problem": Feature("structure", "answer", "which problem it is, by its place in the list of problems"),
    "element": Feature("structure", "answer", "numbers of the answer that end before this token"),
    "digit": Feature("structure", "answer", "tokens of the same number before this one; undefined between numbers"),
    "steps": Feature("state", "answer", "steps of the algorithm on this input: frames of its official trace"),
    "settled": Feature("state", "answer", "step at which this number of the answer takes its final value; undefined between numbers"),
}


@dataclass(frozen=True)
class Text:
    """A question and its answer in the official words, and what the trace tells about the answer.

    `steps`: frames of the trace · `settled`: for each number of the answer, the frame from which on it keeps its
    value, with the output counted as one more frame behind the trace.
    """

    algorithm: str
    size: int
    question: str
    answer: str
    steps: int
    settled: tuple[int, ...] = field(repr=False)

    @property
    def problem(self) -> str:
        """The name of the problem that the algorithm solves."""
        return ALGORITHMS[self.algorithm]


@cache
def official():
    """The modules of the official generator that make, solve and write an instance; `ImportError` where it is absent."""
    try:
        from clrs._src import algorithms, probing, samplers, specs
        from clrs._src.clrs_text import clrs_utils
    except ImportError as error:
        raise ImportError(f'CLRS-Text is made by the official generator, which cannot be imported ({error}). Try: pip install "anira[clrs]"') from error
    return algorithms, probing, samplers, specs, clrs_utils


def generate(algorithm: str, size: int, seed: int) -> Text:
    """A random instance by the official generator, the first of its stream whose answer no tie decides.

    Args:
        algorithm: official name, a key of ALGORITHMS.
        size: the official "length".
        seed: in 0..2**32-1.

    Where two answers are equally good, moving each real of the input by a generic ±NUDGE makes one of them better
    and the opposite move the other, so the answer is unique if and only if both moves leave it as it is. Equal keys
    are no tie in sorting, whose answer is the keys themselves.
    """
    algorithms, probing, samplers, specs, clrs_utils = official()
    function, spec = getattr(algorithms, algorithm), specs.SPECS[algorithm]
    outputs: list = []

    def run(*inputs):
        reals = ALGORITHMS[algorithm] != "sorting" and any(is_real(values) for values in inputs)
        moved = [[nudge(values, by) if is_real(values) else values for values in inputs] for by in (NUDGE, -NUDGE)] if reals else []
        outputs[:] = [probing.split_stages(function(*copy.deepcopy(values))[1], spec)[1] for values in moved]
        return function(*inputs)

    sampler = samplers.SAMPLERS[algorithm](run, spec, -1, seed=seed, track_max_steps=False, truncate_decimals=DECIMALS, length=size)
    while True:
        sample = sampler.next(batch_size=1)
        if all(np.array_equal(one.data, other.data) for moved in outputs for one, other in zip(moved, sample.outputs, strict=True)):
            break
    question, answer = clrs_utils.format_clrs_example(algorithm, sample)
    settled = (step for output in sample.outputs for step in settling_steps(output, sample.features.hints, clrs_utils))
    return Text(algorithm, size, question, answer.rstrip("\n"), int(sample.features.lengths[0]), tuple(settled))


def is_real(values) -> bool:
    """Whether an input of an algorithm holds reals, whose sums may tie, rather than integers."""
    return bool(np.any(np.mod(values, 1)))


def nudge(values, by: float):
    """Reals moved by different shares of `by`. In a matrix of weights zeros stay, and so does symmetry."""
    moved = np.asarray(values) + by * np.random.default_rng(0).uniform(0.5, 1, np.shape(values))
    if np.ndim(values) == 2:
        moved = np.where(np.asarray(values) == 0, 0, (moved + moved.T) / 2 if np.array_equal(values, np.transpose(values)) else moved)
    return moved if np.ndim(values) else float(moved)


def settling_steps(output, hints, clrs_utils) -> list[int]:
    """The frame of the trace from which on each number of an output keeps its value, in the order of the text.

    The output counts as one more frame, behind the others: a number that the trace does not follow settles there.
    """
    one, categorical = output.type_ == "mask_one", output.type_ == "categorical"
    frames = [hint.data[:, 0] for hint in hints if hint.name == RUNNING.get(output.name, f"{output.name}_h")]
    untold = np.full((len(hints[0].data), *output.data.shape[1:]), np.nan)
    trace = np.concatenate([frames[0] if frames else untold, output.data])
    changed = trace[1:] != trace[:-1]
    if one or categorical:
        changed = changed.any(-1)
    steps = (changed.T * np.arange(1, len(trace))).T.max(0)
    if output.type_ == "should_be_permutation":
        steps = steps[clrs_utils.predecessors_to_order(output.data[0])]
    return steps.reshape(-1).tolist()


@dataclass(frozen=True)
class Clrs:
    r"""The CLRS-Text task without hints: one model, up to 23 problems.

    Args:
        questions: names among PROBLEMS.
        sizes: sizes that `batch` mixes, in equal shares of (problem, size) as in the official training set, and each
            problem no further than that set takes it. The default sizes are the set's own.

    One size, asked of `sample` or `batch`, may be any of the official sets, from 4 on, and is drawn for each problem
    that has it there. Errors: `ValueError` for an unknown problem and for a size that no official set has,
    `ImportError` when there is something to draw and the official generator is not installed.

    >>> text = Text("minimum", 4, "minimum:\nkey: [0.5 0.07 0.41 0.9]\nmin:\n", "1", steps=4, settled=(1,))
    >>> instance = Clrs().instance(text)
    >>> Clrs.vocabulary.decode(instance.prompt)
    ['<bos>', 'minimum', ':\n', 'key', ': ', '[', '0.', '5', ' 0.', '0', '7', ' 0.', '4', '1', ' 0.', '9', ']', '\n', 'min', ':\n']
    """

    questions: Sequence[str] = tuple(PROBLEMS)
    sizes: Sequence[int] = SIZES

    name = "clrs"
    symbol = "n"
    knob = "size of the input, n"
    source = "paper, section 4; CLRS-Text"
    features = FEATURES
    end_token = EOS
    unique_answer = True
    vocabulary = Vocabulary((*SPECIALS, *PUNCTUATION, *WORDS, *INTEGERS, *REALS))

    def __post_init__(self):
        if isinstance(self.questions, str) or not hasattr(self.questions, "__iter__"):
            raise ValueError(f"The problems of CLRS-Text are a list of names, received {self.questions!r:.100}.")
        object.__setattr__(self, "questions", tuple(self.questions))
        unknown = [name for name in self.questions if not isinstance(name, str) or name not in PROBLEMS]
        if unknown or not self.questions:
            known = (f"{name} ({', '.join(problem.algorithms)})" if len(problem.algorithms) > 1 else name for name, problem in PROBLEMS.items())
            raise ValueError(f"Unknown problems {unknown or list(self.questions)}. Known: {', '.join(known)}.")
        object.__setattr__(self, "questions", tuple(map(str, self.questions)))
        largest = max(problem.largest for problem in PROBLEMS.values())
        object.__setattr__(self, "sizes", check_sizes(self.sizes, SMALLEST, largest, "CLRS-Text"))
        for name in self.questions:
            if min(self.sizes) > PROBLEMS[name].trained:
                raise ValueError(f"CLRS-Text trains {name} on sizes {SMALLEST} to {PROBLEMS[name].trained}, received {list(self.sizes)}.")

    @cached_property
    def _mixture(self) -> list[tuple[str, int]]:
        return [(name, size) for name in self.questions for size in self.sizes if size <= PROBLEMS[name].trained]

    @property
    def size_limits(self) -> tuple[int, int]:
        """The smallest official size, and the largest that one of the problems has."""
        return SMALLEST, max(PROBLEMS[name].largest for name in self.questions)

    def _at(self, size: int) -> tuple[int, list[str]]:
        some = "" if len(self.questions) == len(PROBLEMS) else f" with {', '.join(self.questions)}"
        (size,) = check_sizes([size], *self.size_limits, f"CLRS-Text{some}")
        return size, [name for name in self.questions if size <= PROBLEMS[name].largest]

    def problems(self, size: int) -> None:
        """Too many to count."""
        self._at(size)

    def max_length(self, size: int) -> int:
        """Tokens that no instance of this size exceeds: as if every real had three decimals and every edge were there."""
        size, names = self._at(size)
        return max(self._max_length(PROBLEMS[name], size) for name in names)

    def _max_length(self, problem: Problem, size: int) -> int:
        quantities = problem.inputs | problem.outputs
        return 3 + 3 * len(quantities) + sum(KINDS[kind](size + problem.extra) for kind in quantities.values())

    def batch(self, n: int, rng: np.random.Generator, size: int | None = None, *, split: Split = "any") -> Batch:
        """`n` instances of one size, or of the task's mixture, from one side of the split."""
        if size is not None:
            return collate([self.sample(size, rng, split=split) for _ in range(n)])
        drawn = (self._mixture[i] for i in rng.integers(len(self._mixture), size=n))
        return collate([self._draw(name, size, rng, split) for name, size in drawn])

    def sample(self, size: int, rng: np.random.Generator, *, split: Split = "any") -> Instance:
        """One instance of any problem that has this size, from one side of the split; its source is a `Text`."""
        size, names = self._at(size)
        return self._draw(names[rng.integers(len(names))], size, rng, split)

    def _draw(self, name: str, size: int, rng: np.random.Generator, split: Split) -> Instance:
        side = side_of(split)
        algorithms = [algorithm for algorithm, limits in PROBLEMS[name].algorithms.items() if size <= max(limits)]
        for _ in range(TRIES):
            instance = self.instance(generate(algorithms[rng.integers(len(algorithms))], size, int(rng.integers(2**32))))
            if side == ANY or self.held_out(instance) == side:
                return instance
        raise too_few(size, split, f"CLRS-Text's {name}")

    def held_out(self, instance: Instance | Sequence[int]) -> bool:
        """Whether the question is held out, whichever algorithm answers it; `ValueError` for tokens without one."""
        names = self.vocabulary.decode(token_ids(instance))
        if ":\n" not in names:
            raise ValueError(f"A prompt of CLRS reads <bos>, the problem and its quantities, each with a colon, received {names}.")
        end = len(names) - names[::-1].index(":\n")  # no answer has a colon
        return sequence_is_held_out(np.frombuffer("".join(names[1:end]).encode(), np.uint8), 0)

    def instance(self, text: Text) -> Instance:
        """The instance that a text tells; its first word becomes the name of the problem."""
        _, asked = text.question.split(":", 1)
        prompt = (BOS, *self.vocabulary.encode(tokens_of(f"{text.problem}:{asked}")))
        names = tokens_of(text.answer)
        answer = (*self.vocabulary.encode(names), EOS)
        columns = {name: np.full(len(prompt) + len(answer), np.nan) for name in FEATURES}
        values = {name: column[len(prompt) :] for name, column in columns.items()}
        values["size"][:], values["problem"][:], values["steps"][:] = text.size, list(PROBLEMS).index(text.problem), text.steps
        element, digit = number_places(names)
        values["element"][:-1], values["digit"][:-1] = element, digit
        settled = np.array(text.settled, dtype=float)
        inside = ~np.isnan(values["digit"])
        values["element"][-1] = len(settled)
        values["settled"][inside] = settled[values["element"][inside].astype(int)]
        return Instance(prompt, answer, text.size, text, columns)


def tokens_of(text: str) -> list[str]:
    """The names of a text's tokens, which make the text when written one after the other.

    >>> tokens_of("key: [0.07 -0.5 0.0 12]")
    ['key', ': ', '[', '0.', '0', '7', ' -0.', '5', ' 0.0', ' 12', ']']
    """
    return TOKEN.findall(text)


def number_places(names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """For each token the numbers that end before it, and its place within its number or NaN outside of one.

    >>> [places.tolist() for places in number_places(["[", "0.", "0", "7", " 0.0", "]"])]
    [[0, 0, 0, 0, 1, 2], [nan, 0.0, 1.0, 2.0, 0.0, nan]]
    """
    element, digit = np.zeros(len(names), np.int64), np.full(len(names), np.nan)
    started, open_real = 0, False
    for i, name in enumerate(names):
        if name.lstrip(" -")[:1].isdigit():
            inside = open_real and name.isdigit()
            digit[i] = digit[i - 1] + 1 if inside else 0
            started += not inside
            open_real = inside or name.endswith(".")
            element[i] = started - 1
        else:
            element[i], open_real = started, False
    return element, digit
