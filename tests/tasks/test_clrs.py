"""CLRS-Text against networkx, SciPy, brute force and definitions, from the words of each question alone.

`clrs_text.jsonl` was recorded with the official generator:

    python -m tests.tasks.test_clrs > tests/tasks/clrs_text.jsonl

Tests that generate run only where the extra `clrs` is installed; the others read that file.
"""

import bisect
import copy
import itertools
import json
import re
import sys
from collections import defaultdict
from dataclasses import astuple
from functools import lru_cache
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import ConvexHull

from anira.tasks import clrs, from_json, to_json
from anira.tasks.clrs import ALGORITHMS, PROBLEMS, SIZES, Clrs, Text, generate, tokens_of
from anira.tasks.task import collate
from anira.training.data import Batches
from tests.presets import live

RECORDED = Path(__file__).with_name("clrs_text.jsonl")
each_algorithm = pytest.mark.parametrize("algorithm", ALGORITHMS)
each_problem = pytest.mark.parametrize("problem", PROBLEMS)


def limits(algorithm):
    return PROBLEMS[ALGORITHMS[algorithm]].algorithms[algorithm]


def record():
    """Three instances of every algorithm at small sizes and one at the largest of a list of numbers."""
    for algorithm in ALGORITHMS:
        for size in sorted({4, 5, min(10, max(limits(algorithm)))}):
            yield from (generate(algorithm, size, seed) for seed in range(3))


@lru_cache
def recorded():
    lines = [json.loads(line) for line in RECORDED.read_text().splitlines()]
    return [Text(**line | {"settled": tuple(line["settled"])}) for line in lines]


def read(text):
    """The quantities of a question and of its answer by name; reals as whole thousandths, which add up exactly."""

    def value(written):
        if written.startswith("["):
            inner = written[1:-1]
            return [value(row) for row in re.split(", ", inner)] if "[" in inner else [value(word) for word in inner.split()]
        return round(float(written) * 1000) if "." in written else int(written)

    quantity = r"\[\[.*?\]\]|\[.*?\]|-?[\d.]+"
    head, inputs, outputs = text.question.rstrip("\n").split("\n")
    assert head == f"{text.algorithm}:"
    asked = outputs.removesuffix(":").split(", ")
    answers = [value(written) for written in re.findall(quantity, text.answer)]
    return {name: value(written) for name, written in re.findall(rf"(\w+): ({quantity})", inputs)}, dict(zip(asked, answers, strict=True))


def digraph(A):
    """The graph of a matrix, nodes and successors in the order of their numbers, without loops."""
    graph = nx.DiGraph()
    graph.add_nodes_from(range(len(A)))
    graph.add_weighted_edges_from((u, v, w) for u, row in enumerate(A) for v, w in enumerate(row) if w and u != v)
    return graph


def only(values):
    """The only element: more would be a second valid answer."""
    (value,) = values
    return value


def best(values):
    """The place of the smallest value, which no other place shares."""
    return only(i for i, value in enumerate(values) if value == min(values))


def parents(pairs, n):
    found = dict(pairs)
    return [found.get(node, node) for node in range(n)]


def matrix(n, entries, default=0):
    return [[entries.get((i, j), default) for j in range(n)] for i in range(n)]


def activity_selector(s, f):
    def rule(order, compatible):
        chosen = []
        for i in order:
            if not chosen or compatible(s[i], f[chosen[-1]]):
                chosen.append(i)
        return [int(i in chosen) for i in range(len(s))]

    strict, loose = int.__gt__, int.__ge__
    orders = [sorted(range(len(s)), key=lambda i: (f[i], sign * i)) for sign in (1, -1)]
    return {"selected": only({tuple(rule(order, compatible)) for order in orders for compatible in (strict, loose)})}


def task_scheduling(d, w):
    """By falling weight, each task whose deadline is later than the number of tasks accepted so far."""

    def rule(order):
        accepted = []
        for i in order:
            if len(accepted) < d[i]:
                accepted.append(i)
        return tuple(int(i in accepted) for i in range(len(d)))

    return {"selected": only({rule(sorted(range(len(d)), key=lambda i: (-w[i], sign * i))) for sign in (1, -1)})}


def bfs(s, A):
    distance = nx.single_source_shortest_path_length(digraph(A), s)
    return {"pi": [min((u for u in distance if A[u][v] and distance[u] == distance[v] - 1), default=v) if v in distance else v for v in range(len(A))]}


def shortest_paths(s, A):
    before, _ = nx.dijkstra_predecessor_and_distance(digraph(A), s)
    return {"pi": parents(((v, only(us)) for v, us in before.items() if v != s), len(A))}


def floyd_warshall(A):
    n, graph, last = len(A), digraph(A), {}
    for i in range(n):
        before, _ = nx.dijkstra_predecessor_and_distance(graph, i)
        last |= {(i, j): only(before[j]) if j in before and j != i else i for j in range(n)}
        if A[i][i]:  # a loop makes i its own neighbour, so the shortest way from i to i has an edge: the loop, or there and back
            ways = {i: A[i][i]} | {j: 2 * graph[i][j]["weight"] for j in graph[i]}
            last[i, i] = only(j for j, length in ways.items() if length == min(ways.values()))
    return {"Pi": matrix(n, last)}


def spanning_forest(A):
    graph = digraph(A).to_undirected()
    forest = nx.minimum_spanning_tree(graph)
    for u, v, w in graph.edges(data="weight"):
        if not forest.has_edge(u, v):
            path = nx.shortest_path(forest, u, v)
            assert all(forest[a][b]["weight"] < w for a, b in itertools.pairwise(path)), "another tree weighs as little"
    return forest


def mst_prim(s, A):
    return {"pi": parents(((v, u) for u, v in nx.bfs_edges(spanning_forest(A), s)), len(A))}


def mst_kruskal(A):
    return {"in_mst": matrix(len(A), {edge: 1 for u, v in spanning_forest(A).edges for edge in ((u, v), (v, u))})}


def dfs(A):
    return {"pi": parents(((v, u) for u, v in nx.dfs_edges(digraph(A))), len(A))}


def topological_sort(A):
    order = list(nx.dfs_postorder_nodes(digraph(A)))[::-1]
    assert all(order.index(u) < order.index(v) for u, v in digraph(A).edges)
    return {"topo": parents(itertools.pairwise(order), len(A)), "topo_head": order[0]}


def strongly_connected_components(A):
    finished = list(nx.dfs_postorder_nodes(digraph(A)))
    named = {node: max(component, key=finished.index) for component in nx.strongly_connected_components(digraph(A)) for node in component}
    return {"scc_id": [named[node] for node in range(len(A))]}


def articulation_points(A):
    cuts = set(nx.articulation_points(digraph(A).to_undirected()))
    return {"is_cut": [int(node in cuts) for node in range(len(A))]}


def bridges(A):
    graph = digraph(A).to_undirected()
    entries = {(i, i): 0 for i in range(len(A))} | {edge: 0 for u, v in graph.edges for edge in ((u, v), (v, u))}
    entries |= {edge: 1 for u, v in nx.bridges(graph) for edge in ((u, v), (v, u))}
    return {"is_bridge": matrix(len(A), entries, -1)}


def convex_hull(x, y):
    hull = set(ConvexHull(np.stack([x, y], 1)).vertices.tolist())
    return {"in_hull": [int(i in hull) for i in range(len(x))]}


def segments_intersect(x, y):
    def side(i, j, k):
        return np.sign((x[j] - x[i]) * (y[k] - y[i]) - (y[j] - y[i]) * (x[k] - x[i]))

    turns = [side(0, 1, 2), side(0, 1, 3), side(2, 3, 0), side(2, 3, 1)]
    assert all(turns), "an endpoint on the other segment's line"
    return {"intersect": int(turns[0] != turns[1] and turns[2] != turns[3])}


def find_maximum_subarray_kadane(key):
    runs = list(itertools.combinations_with_replacement(range(len(key)), 2))
    start, end = runs[best([-sum(key[i : j + 1]) for i, j in runs])]
    return {"start": start, "end": end}


def matrix_chain_order(p):
    """`s[i][j]`: where the cheapest product of matrices i..j is split, by the cost of every split."""
    splits = {}

    @lru_cache(None)
    def cost(i, j):
        if i == j:
            return 0
        costs = [cost(i, k) + cost(k + 1, j) + p[i - 1] * p[k] * p[j] for k in range(i, j)]
        splits[i, j] = i + best(costs)
        return min(costs)

    cost(1, len(p) - 1)
    return {"s": matrix(len(p), splits)}


def optimal_bst(p, q):
    roots = {}

    @lru_cache(None)
    def cost(i, j):
        if i == j:
            return q[i]
        costs = [cost(i, r) + cost(r + 1, j) for r in range(i, j)]
        roots[i, j] = i + best(costs)
        return min(costs) + sum(p[i:j]) + sum(q[i : j + 1])

    cost(0, len(q) - 1)
    return {"root": matrix(len(q), roots)}


def lcs_length(string, key):
    x, y = ([c for c, which in zip(key, string, strict=True) if which == one] for one in (0, 1))

    @lru_cache(None)
    def common(i, j):  # length for the first i letters of x and the first j of y
        if i == 0 or j == 0:
            return 0
        return common(i - 1, j - 1) + 1 if x[i - 1] == y[j - 1] else max(common(i - 1, j), common(i, j - 1))

    match, up, left = 0, 1, 2
    entries = {(i, len(x) + j): match if x[i] == y[j] else up if common(i, j + 1) >= common(i + 1, j) else left for i in range(len(x)) for j in range(len(y))}
    return {"b": matrix(len(key), entries, -1)}


def string_matching(string, key):
    haystack, needle = ("".join(str(c) for c, which in zip(key, string, strict=True) if which == one) for one in (0, 1))
    return {"match": haystack.index(needle)}


ORACLES = {
    "activity_selector": activity_selector,
    "articulation_points": articulation_points,
    "bfs": bfs,
    "binary_search": lambda key, target: {"return": min(bisect.bisect_left(key, target), len(key) - 1)},
    "bridges": bridges,
    "convex_hull": convex_hull,
    "dfs": dfs,
    "find_maximum_subarray_kadane": find_maximum_subarray_kadane,
    "floyd_warshall": floyd_warshall,
    "lcs_length": lcs_length,
    "matrix_chain_order": matrix_chain_order,
    "minimum": lambda key: {"min": best(key)},
    "mst_kruskal": mst_kruskal,
    "mst_prim": mst_prim,
    "optimal_bst": optimal_bst,
    "quickselect": lambda key: {"median": only(i for i, value in enumerate(key) if value == sorted(key)[len(key) // 2])},
    "segments_intersect": segments_intersect,
    "shortest_paths": shortest_paths,
    "sorting": lambda key: {"pred": sorted(key)},
    "string_matching": string_matching,
    "strongly_connected_components": strongly_connected_components,
    "task_scheduling": task_scheduling,
    "topological_sort": topological_sort,
}


def flat(value):
    return [leaf for item in value for leaf in flat(item)] if isinstance(value, (list, tuple)) else [value]


def expected_trace(text, inputs, outputs):
    """Frames of the trace and the settling step of each number, where a definition gives them without running anything."""
    n = text.size
    match ALGORITHMS[text.algorithm]:
        case "minimum":
            return n, [outputs["min"]]
        case "find_maximum_subarray_kadane":
            return n, None
        case "bfs":  # one round for each distance
            distance = nx.single_source_shortest_path_length(digraph(inputs["A"]), inputs["s"])
            return max(distance.values()) + 1, [distance.get(node, 0) for node in range(n)]
        case "activity_selector" | "task_scheduling":  # two frames, then one for each of the others in order; equal keys come in any order
            keys = inputs.get("f") or [-weight for weight in inputs["w"]]
            order = sorted(keys).index
            return n + 1, [1 + order(key) if chosen else 0 for key, chosen in zip(keys, outputs["selected"], strict=True)] if len(set(keys)) == n else None
        case "optimal_bst":  # intervals by length; a root 0 is there from the start
            return n + 1, [j - i if root else 0 for i, row in enumerate(outputs["root"]) for j, root in enumerate(row)]
        case "segments_intersect":
            return 5, [5]
    return text.steps, None


def check(text):
    """Everything that holds for one instance."""
    problem = text.problem
    inputs, outputs = read(text)
    assert inputs.keys() == PROBLEMS[problem].inputs.keys() and outputs.keys() == PROBLEMS[problem].outputs.keys()
    expected = ORACLES[problem](**inputs)
    assert flat(list(outputs.values())) == flat(list(expected.values())), text

    task = Clrs((problem,))
    instance = task.instance(text)
    names = task.vocabulary.decode(instance.tokens)
    assert "".join(names) == f"<bos>{problem}{text.question.removeprefix(text.algorithm)}{text.answer}<eos>"
    assert task.vocabulary.encode(names) == list(instance.tokens)
    assert task.end_token == instance.answer[-1] and instance.answer.count(task.end_token) == 1
    assert len(instance.tokens) <= task.max_length(text.size)

    of_answer = {name: column[len(instance.prompt) :] for name, column in instance.features.items()}
    assert all(np.isnan(column[: len(instance.prompt)]).all() for column in instance.features.values())
    assert set(of_answer["size"]) == {text.size} and set(of_answer["steps"]) == {text.steps}
    numbers = re.findall(r"-?[\d.]+", text.answer)
    starts = of_answer["digit"] == 0
    assert starts.sum() == len(numbers) == len(text.settled) == of_answer["element"][-1]
    assert of_answer["settled"][starts].tolist() == list(text.settled)
    for i, number in enumerate(numbers):
        inside = (of_answer["element"] == i) & ~np.isnan(of_answer["digit"])
        written = "".join(name for name, here in zip(names[len(instance.prompt) :], inside, strict=True) if here)
        assert written.strip() == number and (of_answer["digit"][inside] == np.arange(inside.sum())).all()

    steps, settled = expected_trace(text, inputs, outputs)
    assert text.steps == steps and max(text.settled) <= steps
    assert settled is None or list(text.settled) == settled, text


def test_recorded_instances_agree_with_independent_implementations():
    assert {text.algorithm for text in recorded()} == set(ALGORITHMS)
    for text in recorded():
        check(text)


def test_an_altered_answer_is_noticed():
    text = next(text for text in recorded() if text.algorithm == "minimum")
    wrong = str((int(text.answer) + 1) % text.size)
    with pytest.raises(AssertionError):
        check(Text(text.algorithm, text.size, text.question, wrong, text.steps, text.settled))


def test_thirty_algorithms_are_twenty_three_problems():
    assert len(ALGORITHMS) == 30 and len(PROBLEMS) == 23 == len(ORACLES)
    merged = {name: set(problem.algorithms) for name, problem in PROBLEMS.items() if len(problem.algorithms) > 1}
    assert merged == {
        "sorting": {"insertion_sort", "bubble_sort", "heapsort", "quicksort"},
        "shortest_paths": {"bellman_ford", "dijkstra", "dag_shortest_paths"},
        "string_matching": {"naive_string_matcher", "kmp_matcher"},
        "convex_hull": {"graham_scan", "jarvis_march"},
    }


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(st.integers(-1, 64), st.integers(-1999, 1999).map(lambda x: x / 1000)), min_size=1))
def test_every_list_of_numbers_goes_through_the_vocabulary(numbers):
    written = f"key: [{' '.join(map(str, numbers))}]"
    ids = Clrs.vocabulary.encode(tokens_of(written))
    assert "".join(Clrs.vocabulary.decode(ids)) == written


@each_problem
def test_no_instance_can_be_longer_than_max_length(problem):
    """The longest text that the kinds of its quantities allow has exactly that many tokens."""
    spec = PROBLEMS[problem]
    for size in (4, spec.largest):
        n = size + spec.extra
        rows = {"indices": "10", "reals": "-0.123"}
        written = {kind: "[" + " ".join([word] * n) + "]" for kind, word in rows.items()}
        written |= {kind.replace("s", " matrix").replace("indice", "index"): "[" + ", ".join([row] * n) + "]" for kind, row in list(written.items())}
        written |= {"index matrix": "[" + ", ".join([written["indices"]] * n) + "]", "index": "10", "real": "-0.123"}
        inputs = ", ".join(f"{name}: {written[kind]}" for name, kind in spec.inputs.items())
        answer = ", ".join(written[kind] for kind in spec.outputs.values())
        (algorithm, *_) = spec.algorithms
        numbers = (0,) * len(re.findall(r"-?[\d.]+", answer))
        text = Text(algorithm, size, f"{algorithm}:\n{inputs}\n{', '.join(spec.outputs)}:\n", answer, 1, numbers)
        assert len(Clrs((problem,)).instance(text).tokens) == Clrs((problem,)).max_length(size)


def test_errors_say_what_is_known():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match=r"Unknown problems \['bogosort'\]. Known: activity_selector, .*sorting \(insertion_sort, bubble_sort"):
        Clrs(questions=("bogosort",))
    with pytest.raises(ValueError, match="Unknown problems"):
        Clrs(questions=())
    with pytest.raises(ValueError, match=r"CLRS-Text makes sizes 4 to 64, received \[3, 9\]"):
        Clrs(sizes=(3, 9))
    with pytest.raises(ValueError, match="received"):
        Clrs(sizes=[])
    with pytest.raises(ValueError, match=r"trains bridges on sizes 4 to 5, received \[10, 11\]"):
        Clrs(sizes=(10, 11))
    for size in (3, 8):
        for call in (Clrs.max_length, lambda task, size: task.sample(size, rng), lambda task, size: task.batch(2, rng, size=size)):
            with pytest.raises(ValueError, match=rf"CLRS-Text with bridges makes sizes 4 to 7, received \[{size}\]"):
                call(Clrs(questions=("bridges",)), size)
    with pytest.raises(ValueError, match=r"CLRS-Text makes sizes 4 to 64, received \[65\]"):
        Clrs().sample(65, rng)


def test_a_missing_generator_says_how_to_install_it(monkeypatch):
    clrs.official.cache_clear()
    for module in [name for name in sys.modules if name.split(".")[0] == "clrs"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "clrs", None)
    with pytest.raises(ImportError, match=r'pip install "anira\[clrs\]"'):
        Clrs().sample(5, np.random.default_rng(0))
    clrs.official.cache_clear()


def test_a_task_survives_json():
    task = Clrs(questions=("dfs", "sorting"), sizes=(4, 5))
    assert from_json(to_json(task)) == task and from_json(to_json(Clrs())) == Clrs()


@live
def test_recorded_instances_are_what_the_generator_makes_from_the_same_seeds():
    assert list(map(astuple, record())) == list(map(astuple, recorded()))


@live
@settings(max_examples=100, deadline=None)
@given(data=st.data(), seed=st.integers(0, 2**32 - 1))
def test_any_algorithm_at_any_size_is_right_and_reproducible(data, seed):
    algorithm = data.draw(st.sampled_from(list(ALGORITHMS)))
    size = data.draw(st.integers(4, max(limits(algorithm))))
    text = generate(algorithm, size, seed)
    check(text)
    assert generate(algorithm, size, seed) == text


@live
@pytest.mark.slow
def test_10_000_instances_agree_with_independent_implementations():
    rng = np.random.default_rng(0)
    for i, algorithm in zip(range(10_020), itertools.cycle(ALGORITHMS)):
        trained, _ = limits(algorithm)
        sizes = [size for size in SIZES if size <= trained]
        check(generate(algorithm, sizes[i // len(ALGORITHMS) % len(sizes)], int(rng.integers(2**32))))


def answers_on_the_same_inputs(asked, drawn, size, seed):
    """The answer, in words, of each algorithm of `asked` on one input of the sampler of `drawn`."""
    algorithms, probing, samplers, specs, clrs_utils = clrs.official()
    kept = []

    def keep(*inputs):
        kept[:] = copy.deepcopy(inputs)  # the algorithms work in place
        return getattr(algorithms, drawn)(*inputs)

    sampler = samplers.SAMPLERS[drawn](keep, specs.SPECS[drawn], -1, seed=seed, track_max_steps=False, truncate_decimals=3, length=size)
    sample = sampler.next(batch_size=1)
    for algorithm in asked:
        outputs = probing.split_stages(getattr(algorithms, algorithm)(*copy.deepcopy(kept))[1], specs.SPECS[algorithm])[1]
        yield clrs_utils.format_clrs_example(algorithm, sample._replace(outputs=outputs))[1]


@live
def test_the_algorithms_that_coincide_on_the_same_inputs_are_those_of_one_problem():
    """Two algorithms can only coincide if they read and write the same quantities; such a pair is run on 60 inputs that both accept.

    Inputs are those whose answer no tie decides, drawn for the one and for the other; on graphs with cycles, shortest
    paths of a DAG are not defined.
    """
    specs = clrs.official()[3]
    signature = {name: tuple(sorted((key, kind) for key, kind in specs.SPECS[name].items() if kind[0] != "hint")) for name in ALGORITHMS}
    for one, other in itertools.combinations(ALGORITHMS, 2):
        if signature[one] != signature[other]:
            assert ALGORITHMS[one] != ALGORITHMS[other]
            continue
        drawn = ["dag_shortest_paths"] if "dag_shortest_paths" in (one, other) else [one, other]
        equal = []
        for source, size, seed in itertools.product(drawn, (4, 7, 10), range(60 // 3 // len(drawn))):
            seed = first_seed_without_ties(source, size, seed)
            equal.append(len(set(answers_on_the_same_inputs((one, other), source, size, seed))) == 1)
        assert all(equal) == (ALGORITHMS[one] == ALGORITHMS[other]), (one, other, np.mean(equal))


def first_seed_without_ties(algorithm, size, seed):
    """The first of seed, seed + 1000, … whose first instance is the one that `generate` keeps."""
    *_, samplers, specs, clrs_utils = clrs.official()
    while True:
        sampler, _ = samplers.build_sampler(algorithm, -1, seed=seed, track_max_steps=False, truncate_decimals=3, length=size)
        if clrs_utils.format_clrs_example(algorithm, sampler.next(batch_size=1))[0] == generate(algorithm, size, seed).question:
            return seed
        seed += 1000


@live
def test_limits_are_those_of_the_official_sets():
    from clrs._src.clrs_text import generate_clrs_text as tables

    trained, tested = tables._DEFAULT_TRAIN_ALGOS_AND_LENGTHS, tables._DEFAULT_VAL_ALGOS_AND_LENGTHS
    assert trained.keys() == tested.keys() == ALGORITHMS.keys()
    for algorithm in ALGORITHMS:
        assert trained[algorithm] == [size for size in SIZES if size <= limits(algorithm)[0]]
        assert tested[algorithm] == list(range(4, limits(algorithm)[1] + 1))
    official = {(ALGORITHMS[algorithm], size) for algorithm, sizes in trained.items() for size in sizes}
    assert set(Clrs()._mixture) == official and len(Clrs()._mixture) == len(official)


@live
def test_a_batch_is_what_sample_draws_in_turn_and_the_same_for_the_same_seed():
    task = Clrs()
    rng = np.random.default_rng(7)
    expected = collate([task.sample(6, rng) for _ in range(40)])
    for batch in (task.batch(40, np.random.default_rng(7), size=6) for _ in range(2)):
        for name in ("tokens", "answer_mask", "lengths", "sizes"):
            assert torch.equal(getattr(batch, name), getattr(expected, name)), name


@live
def test_workers_make_the_same_batches():
    task = Clrs(sizes=(4, 5))
    for workers in (1, 2):
        with Batches(task, 8, seed=3, workers=workers) as batches:
            for step in range(4):
                made, expected = next(batches), task.batch(8, np.random.default_rng([3, step]), split="train")
                assert torch.equal(made.tokens, expected.tokens) and torch.equal(made.answer_mask, expected.answer_mask)


@live
def test_a_mixed_batch_has_every_problem_in_equal_shares_of_its_official_sizes():
    task = Clrs(questions=("bridges", "sorting", "minimum"))
    first, second = (task.batch(600, np.random.default_rng(1)) for _ in range(2))
    assert torch.equal(first.tokens, second.tokens) and not first.tokens[~first.token_mask].any() and first.tokens[first.token_mask].all()
    counts = defaultdict(int)
    for tokens, size in zip(first.tokens, first.sizes.tolist(), strict=True):
        counts[task.vocabulary.names[tokens[1]], size] += 1
    assert counts.keys() == set(task._mixture) and len(counts) == 22
    assert max(abs(count - 600 / 22) for count in counts.values()) < 5 * (600 / 22) ** 0.5


@live
def test_a_size_mixes_every_algorithm_that_has_it():
    rng = np.random.default_rng(2)
    drawn = {Clrs().sample(10, rng).source.algorithm for _ in range(400)}
    assert drawn == {algorithm for algorithm in ALGORITHMS if max(limits(algorithm)) >= 10}


if __name__ == "__main__":
    for text in record():
        print(json.dumps(text.__dict__))
