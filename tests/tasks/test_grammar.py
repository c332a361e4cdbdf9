"""Grammars: what is refused, what layers and random grammars promise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anira.tasks.grammar import CFG3B, Grammar, layered, random_grammar


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "at least one rule"),
        ("S -> A 'b'", "S expands to A, which has no rules. Write terminals in quotes: 'A'"),
        ("S -> A\nA ->", "An alternative of A must be names"),
        ("S -> 'a' | | 'b'", "An alternative of S must be names"),
        ("S 'a'", "A line of a grammar reads like"),
        ("'a' -> 'b'", "A line of a grammar reads like"),
        ("S -> 'a b'", "An alternative of S must be names"),
        ("S -> 'a' S", "S -> S: a symbol must not contain itself"),
        ("S -> A\nA -> 'a' | B\nB -> 'b' A", "A -> B -> A: a symbol must not contain itself"),
        ("S -> 'a'\nA -> 'b'", "S never leads to A"),
        ("S -> 'a'\nA -> B\nB -> A", "S never leads to A, B"),
        ("S -> 'a' [0.5] | 'b' [0.4]", "probabilities of S must be positive and sum to 1, received \\[0.5, 0.4\\]"),
        ("S -> 'a' [1.5] | 'b' [-0.5]", "must be positive"),
        ("S -> 'a' [nan]", "sum to 1"),
        ("S -> 'a' [half]", "must be a number, received 'half'"),
        ("S -> 'a' [0.5] | 'b'", "to each of its alternatives or to none"),
        ("S -> 'a' | 'a'", "S has the same alternative twice"),
    ],
)
def test_a_malformed_grammar_is_refused_with_the_reason(text, message):
    with pytest.raises(ValueError, match=message):
        Grammar(text)


def test_lines_of_one_symbol_join_and_spaces_do_not_matter():
    grammar = Grammar("S->A  'c'[0.25]|A A [0.75]\n\n  A -> 'a'\nA -> 'a' 'b'")
    assert [(rule.symbols, rule.probability) for rule in grammar.rules["S"]] == [(("A", "'c'"), 0.25), (("A", "A"), 0.75)]
    assert [(rule.symbols, rule.probability) for rule in grammar.rules["A"]] == [(("'a'",), 0.5), (("'a'", "'b'"), 0.5)]
    assert grammar.terminals == ("a", "b", "c")


def test_cfg3b_is_the_published_grammar():
    assert len(CFG3B.rules) == 16 and CFG3B.height == 6 and CFG3B.terminals == ("0", "1", "2")
    assert {len(rules) for rules in CFG3B.rules.values()} == {2} and {rule.probability for rules in CFG3B.rules.values() for rule in rules} == {0.5}
    assert [rule.symbols for rule in CFG3B.rules["A1"]] == [("B1", "B0", "B2"), ("B0", "B1")]
    assert [rule.symbols for rule in CFG3B.rules["E2"]] == [("'2'", "'1'", "'0'"), ("'1'", "'0'")]
    lengths = np.array([[lengths[symbol] for lengths in (CFG3B.shortest, CFG3B.longest)] for symbol in CFG3B.rules])
    assert (lengths[:, 0] < lengths[:, 1]).all() and lengths[0].tolist() == [138, 432]


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_a_random_grammar_has_the_shape_that_its_knobs_say(data):
    depth, symbols = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 10))
    rules, ambiguity, seed = data.draw(st.integers(1, min(6, symbols + symbols**2))), data.draw(st.floats(0, 1)), data.draw(st.integers(0, 1000))
    grammar = random_grammar(depth, symbols, rules, ambiguity, seed)
    assert grammar == random_grammar(depth, symbols, rules, ambiguity, seed)
    assert grammar.height == depth and all(1 <= len(grammar.at_height(height)) <= symbols for height in range(1, depth + 1))
    assert {len(listed) for listed in grammar.rules.values()} == {rules}
    assert 2**depth <= grammar.shortest["S"] <= grammar.longest["S"] <= 3**depth
    for height in range(1, depth + 1):
        sides = [{rule.symbols for rule in grammar.rules[symbol]} for symbol in grammar.at_height(height)]
        if ambiguity == 0:
            assert len(set.union(*sides)) == rules * len(sides)
        if ambiguity == 1:
            assert all(side == sides[0] for side in sides)


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"depth": 0}, "depth from 1 to 8, received 0"),
        ({"symbols": 11}, "symbols from 1 to 10, received 11"),
        ({"symbols": 2, "rules": 7}, "rules from 1 to 6, received 7"),
        ({"ambiguity": 1.5}, "ambiguity from 0 to 1, received 1.5"),
    ],
)
def test_impossible_knobs_are_refused(knobs, message):
    with pytest.raises(ValueError, match=message):
        random_grammar(**knobs)


def test_a_level_too_many_or_a_missing_symbol_is_refused():
    with pytest.raises(ValueError, match="A1, which has no rules"):
        layered([{"S": "01"}, {"0": "01"}])
