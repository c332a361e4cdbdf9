"""LANO against enumeration of all parses, a chart by plain deduction, and prefix probabilities by matrices."""

from collections import defaultdict
from functools import cache
from itertools import accumulate

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from anira.tasks import from_json, to_json
from anira.tasks.grammar import CFG3B, Grammar, random_grammar
from anira.tasks.lano import Lano

seeds = st.integers(0, 2**32 - 1)
UNEVEN = Grammar(
    """
    S -> A B [0.5] | B [0.3] | 'x' A [0.2]
    A -> 'a' [0.25] | 'a' 'b' [0.25] | B [0.5]
    B -> C [0.6] | 'a' 'b' [0.3] | C C [0.1]
    C -> 'a' | 'b' 'a' | 'b'
    """
)
PARSER = ("expansion", "additions", "multiplications")


@cache
def derivations(grammar, name, place=0):
    """All derivations of a symbol from this place on, as (terminals, uses): a use is (place, symbol, rule, probability), leftmost first."""
    if name.startswith("'"):
        return [((name.strip("'"),), ())]
    found = []
    for number, rule in enumerate(grammar.rules[name]):
        parts = [((), ((place, name, number, rule.probability),))]
        for child in rule.symbols:
            parts = [(string + more, uses + inner) for string, uses in parts for more, inner in derivations(grammar, child, place + len(string))]
        found += parts
    return found


@cache
def enumeration(task, size):
    """By definition: prefix → distribution of the next token, and prefix → entropy of its partial parses."""
    starts = task.grammar.at_height(size)
    following, partial = defaultdict(lambda: np.zeros(len(task.vocabulary))), defaultdict(lambda: defaultdict(float))
    for start in starts:
        for string, uses in derivations(task.grammar, start):
            tokens = task.vocabulary.encode(["<bos>", *string, "<eos>"])
            chosen = list(accumulate((p for *_, p in uses), lambda a, b: a * b, initial=1 / len(starts)))
            for i in range(1, len(tokens)):
                following[tuple(tokens[:i])][tokens[i]] += chosen[-1]
                made = sum(place < i for place, *_ in uses)  # rules of symbols that hold one of the first i tokens after <bos>
                partial[tuple(tokens[: i + 1])][uses[:made]] = chosen[made]
    entropy = {}
    for prefix, parses in partial.items():
        p = np.array(list(parses.values()))
        entropy[prefix] = -(p / p.sum() * np.log(p / p.sum())).sum()
        assert np.isclose(p.sum(), following[prefix[:-1]][prefix[-1]], rtol=1e-12)
    return {prefix: p / p.sum() for prefix, p in following.items()}, entropy


@cache
def chart(task, size, prefix):
    """Earley's sets as the closure of his three rules, without any order; the last set with what it took: states, additions, multiplications."""
    rules = {name: [rule.symbols for rule in listed] for name, listed in task.grammar.rules.items()}
    rules["start"] = [(name, "'<eos>'") for name in task.grammar.at_height(size)]

    def after(state):
        name, number, dot, _ = state
        return rules[name][number][dot] if dot < len(rules[name][number]) else None

    def moved(state):
        name, number, dot, start = state
        return name, number, dot + 1, start

    here = len(prefix) - 1
    if here == 0:
        sets, states = [], {("start", number, 0, 0) for number in range(len(rules["start"]))}
    else:
        sets = chart(task, size, prefix[:-1])[0]
        token = f"'{task.vocabulary.decode([prefix[-1]])[0]}'"
        states = {moved(state) for state in sets[-1] if after(state) == token}
    scanned = len(states)
    sets = [*sets, states]
    while True:
        ended = {(state[3], state[0]) for state in states if after(state) is None and state[0] != "start"}
        moves = [moved(state) for start, name in ended for state in sets[start] if after(state) == name]
        wanted = {after(state) for state in states} & rules.keys()
        predicted = [(name, number, 0, here) for name in wanted for number in range(len(rules[name]))]
        if states.issuperset(moves) and states.issuperset(predicted):
            break
        states |= {*moves, *predicted}
    complete = [state for state in states if after(state) is None and state[0] != "start"]
    waiting = [state for state in states if after(state) in rules]
    additions = scanned - 1 + len(complete) - len(ended) + 2 * (len(moves) - len(set(moves))) + len(waiting) - len(wanted)
    return sets, (len(states), additions, 2 * len(moves) + len(predicted))


def check(task, size, tokens, features, next_probs):
    """Everything that an instance says against enumeration and the plain chart."""
    following, entropy = enumeration(task, size)
    before = 0.0
    for i in range(1, len(tokens)):
        prefix, p = tokens[: i + 1], following[tokens[:i]]
        assert np.abs(next_probs[i - 1] - p).max() < 1e-9
        assert abs(features["entropy"][i] + (p[p > 0] * np.log(p[p > 0])).sum()) < 1e-9
        assert abs(features["surprisal"][i] + np.log(p[tokens[i]])) < 1e-9
        assert abs(features["ambiguity"][i] - entropy[prefix]) < 1e-9
        assert abs(features["convergence"][i] - (before - entropy[prefix])) < 1e-9
        assert tuple(features[name][i] for name in PARSER) == chart(task, size, prefix)[1]
        assert (features["levels"][i], features["position"][i]) == (size, i - 1)
        before = entropy[prefix]


SMALL = {
    "cfg3b": (Lano(), (1, 2, 3)),
    "half ambiguous": (Lano(grammar=random_grammar(depth=3, symbols=2, ambiguity=0.5, seed=2)), (1, 2, 3)),
    "all ambiguous": (Lano(grammar=random_grammar(depth=2, symbols=3, rules=3, ambiguity=1.0, seed=1)), (1, 2)),
    "uneven": (Lano(grammar=UNEVEN), (1, 2, 3, 4)),
}


@pytest.mark.parametrize("instances", [1000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_instances_agree_with_all_their_parses(instances):
    rng, checked = np.random.default_rng(0), {}
    plan = [(task, size) for task, sizes in SMALL.values() for size in sizes]
    for i in range(instances):
        task, size = plan[i % len(plan)]
        instance = task.sample(size, rng)
        names = task.vocabulary.decode(instance.answer)
        assert [*instance.source.leaves(), "<eos>"] == names and instance.source.symbol in task.grammar.at_height(size)
        key = task, size, instance.tokens
        if key not in checked:
            check(task, size, instance.tokens, instance.features, task.next_probs(instance.tokens, size))
            checked[key] = instance.features
        assert all(np.array_equal(values, checked[key][name], equal_nan=True) for name, values in instance.features.items())


@st.composite
def grammars(draw):
    """Any grammar: unit rules, alternatives of unequal length and probability, symbols used at several heights."""
    count = draw(st.integers(1, 4))
    lines, used = [], {"N0"}
    for i in range(count):
        if f"N{i}" not in used:
            continue
        names = st.sampled_from(["'a'", "'b'", *(f"N{j}" for j in range(i + 1, count))])
        sides = draw(st.lists(st.lists(names, min_size=1, max_size=3).map(tuple), min_size=1, max_size=3, unique=True))
        weights = np.array([draw(st.integers(1, 9)) for _ in sides])
        used |= {name for side in sides for name in side}
        lines.append(f"N{i} -> " + " | ".join(f"{' '.join(side)} [{float(p)!r}]" for side, p in zip(sides, weights / weights.sum(), strict=True)))
    return Grammar("\n".join(lines))


def parses(grammar, name):
    return 1 if name.startswith("'") else sum(int(np.prod([parses(grammar, child) for child in rule.symbols])) for rule in grammar.rules[name])


@settings(max_examples=80, deadline=None)
@given(grammar=grammars(), data=st.data())
def test_any_grammar_agrees_with_all_its_parses(grammar, data):
    size = data.draw(st.integers(1, grammar.height))
    assume(sum(parses(grammar, name) for name in grammar.at_height(size)) <= 1000)
    task = Lano([size], grammar)
    instance = task.sample(size, np.random.default_rng(data.draw(seeds)))
    assert from_json(to_json(task)) == task
    assert [*instance.source.leaves(), "<eos>"] == task.vocabulary.decode(instance.answer)
    check(task, size, instance.tokens, instance.features, task.next_probs(instance.tokens, size))


def begins(grammar, symbol, string):
    """(T,): how probably a symbol's string begins with the first 1, 2, … tokens of `string` (Jelinek & Lafferty 1991), and is just these.

    As matrices: inside[i, j], the symbol's string is tokens i to j; prefix[i, j], it begins with them.
    """
    inside, prefix = {}, {}
    for name in grammar.terminals:
        inside[f"'{name}'"] = prefix[f"'{name}'"] = np.diag([float(token == name) for token in string], 1)
    for name in reversed(grammar.heights):
        inside[name], prefix[name] = np.zeros((2, len(string) + 1, len(string) + 1))
        for rule in grammar.rules[name]:
            before = np.eye(len(string) + 1) * rule.probability
            for child in rule.symbols:
                prefix[name] += before @ prefix[child]
                before = before @ inside[child]
            inside[name] += before
    return prefix[symbol][0, 1:], inside[symbol][0, 1:]


@pytest.mark.parametrize(
    "grammar", [CFG3B, random_grammar(depth=5, symbols=4, rules=3, ambiguity=0.3, seed=4), random_grammar(depth=5, symbols=2, ambiguity=1.0)]
)
def test_whole_strings_agree_with_prefix_probabilities_by_matrices(grammar):
    task = Lano(grammar=grammar)
    for seed in range(3):
        instance = task.sample(grammar.height, np.random.default_rng(seed))
        probs, here = task.next_probs(instance.tokens, grammar.height), len(instance.tokens) - 2
        names = task.vocabulary.decode(instance.answer[:-1])
        begun, ended = begins(grammar, "S", names)
        reached = np.append(begun, ended[-1])  # the end of the string is its last token
        assert np.allclose(instance.features["surprisal"][1:].cumsum(), -np.log(reached), rtol=1e-9, atol=1e-9)
        assert np.allclose(probs[:-1].sum(1), 1, atol=1e-9) and not probs[-1].any()
        assert (probs[np.arange(here), instance.tokens[1:-1]] > 0).all() and instance.features["entropy"][1:].max() <= np.log(len(task.vocabulary) - 2)


def test_the_parser_of_whole_strings_does_what_the_plain_chart_says():
    task = Lano()
    for seed in range(3):
        tokens = task.sample(6, np.random.default_rng(seed)).tokens
        features = task.measure(tokens, 6)
        assert [tuple(features[name][i] for name in PARSER) for i in range(1, len(tokens))] == [
            chart(task, 6, tokens[: i + 1])[1] for i in range(1, len(tokens))
        ]


def test_strings_come_as_often_as_the_grammar_says():
    task, n = Lano([4], UNEVEN), 20_000
    batch = task.batch(n, np.random.default_rng(0))
    strings, counts = np.unique(batch.tokens.numpy(), axis=0, return_counts=True)
    following, _ = enumeration(task, 4)
    expected = []
    for string in strings:
        tokens = tuple(string[string > 0].tolist())
        expected.append(n * np.prod([following[tokens[:i]][tokens[i]] for i in range(1, len(tokens))]))
    expected = np.array(expected)
    assert expected.sum() > 0.99 * n and (np.abs(counts - expected) < 5 * np.sqrt(expected) + 1).all()


def test_entropy_is_the_mean_surprisal_and_bounded_by_that_of_the_derivations():
    """A string without ambiguity has as much information as the choices that made it: ln 2 for each symbol of cfg3b."""
    task = Lano()
    instances = [task.sample(6, np.random.default_rng([1, i])) for i in range(100)]
    entropy, surprisal = (np.array([instance.features[name][1:].sum() for instance in instances]) for name in ("entropy", "surprisal"))
    choices = np.log(2) * np.array([str(instance.source).count("(") for instance in instances])
    difference = entropy - surprisal
    assert abs(difference.mean()) < 4 * difference.std() / 10
    assert (surprisal <= choices + 1e-9).all() and (surprisal > 0.5 * choices).all()


def test_more_right_hand_sides_in_common_leave_more_parses_open():
    def mean(ambiguity):
        tasks = [Lano(grammar=random_grammar(depth=4, ambiguity=ambiguity, seed=seed)) for seed in range(20)]
        return np.mean([np.nanmean(task.sample(4, np.random.default_rng(0)).features["ambiguity"]) for task in tasks])

    few, some, many = mean(0), mean(0.5), mean(1)
    assert 1.5 * few < some and 1.5 * some < many


def test_a_string_may_be_measured_before_it_is_complete():
    task = Lano()
    tokens = task.sample(6, np.random.default_rng(0)).tokens
    assert np.array_equal(task.next_probs(tokens[:50], 6), task.next_probs(tokens, 6)[:50])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Lano().next_probs([1, 5, 5, 5], 6), "token 5 at position 1"),
        (lambda: Lano().next_probs([1, 9], 6), "token 9 at position 0"),
        (lambda: Lano().next_probs([1, -3], 6), "token -3 at position 0"),
        (lambda: Lano().measure([3, 4], 6), "begins with <bos>"),
        (lambda: Lano().measure([], 6), "begins with <bos>"),
        (lambda: Lano(grammar=Grammar("S -> 'a' '<eos>'")), "a grammar with terminals <eos>"),
        (lambda: Lano([9], grammar=random_grammar(depth=8)), "1 to 8, received \\[9\\]"),
        (lambda: Lano(grammar=Grammar("S -> A A\nA -> " + " ".join(["'a'"] * 6000))), "up to 10000 tokens makes sizes 1 to 1, received \\[2\\]"),
    ],
)
def test_impossible_requests_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
