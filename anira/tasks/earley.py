"""A prefix parser for probabilistic grammars that counts what it does: Earley's, with Stolcke's probabilities.

Reading a string from left to right, the parser keeps every way in which it can begin. A *state* is a dotted
rule and the position where its symbol starts; the states made when a token is read form that token's set
(Earley 1970). Each state has a *forward* probability, of the tokens so far together with the state, and an
*inner* one, of the tokens since the symbol's start given the symbol (Stolcke 1995). A token is read in three
steps, in which no number is used before it is final:

- *scan*: the states of the last set with the token behind their dot move over it. Their forward
  probabilities sum to that of the string so far: n - 1 additions for n states;
- *complete*: from the latest start to the earliest, and from small symbols to large, the inner probability of
  a symbol that ends here is the sum over its rules that do (n - 1 additions); each state in the set
  where the symbol starts that waits for it moves over it, forward and inner probability times the symbol's
  (2 multiplications; 2 additions where the new state is there already);
- *predict*: from large symbols to small, the forward probabilities of all states that wait for a symbol are
  summed (n - 1 additions); each of its rules starts here with that sum times its own probability
  (1 multiplication).

Dividing by the probability of the token just read, which keeps numbers near 1 in strings of any length, is not
counted; nor is what the ambiguity takes: beside each probability p, a sum of products of rule probabilities, stands
the sum of q ln q over those products (Li & Eisner 2009). Its value over the scanned states is minus the entropy of
the partial parses given the string so far, where a *partial parse* is the choice of a rule for every symbol that
has a token in it.
"""

from typing import NamedTuple

import numpy as np

from anira.tasks.compiled import compiled
from anira.tasks.grammar import Tables

MEASURES = ("expansion", "ambiguity", "additions", "multiplications")
DOT, START, NEXT = range(3)
FORWARD, FORWARD_LOG, INNER, INNER_LOG = range(4)
STATES, SET, ADDITIONS, MULTIPLICATIONS = range(4)


class Chart(NamedTuple):
    """What the parser holds. A set is the states made at one place of the string, numbered from where the last set ends.

    states (S, 3): dotted rule, where its symbol starts, the next state of the same list or -1 · masses (S, 4):
    forward and inner probability p, each with its sum of q ln q · waiting (T + 1, symbols): of each set, the first
    state with this symbol behind its dot, or -1 · complete (T + 1, nonterminals): the first complete state of the
    present set, by start and left-hand side · known (T + 1, D): the latest state with this start and dotted rule ·
    tally (4,): states made, the first of the present set, additions, multiplications.
    """

    states: np.ndarray
    masses: np.ndarray
    waiting: np.ndarray
    complete: np.ndarray
    known: np.ndarray
    tally: np.ndarray


def parse(tokens: np.ndarray, tables: Tables) -> tuple[np.ndarray, np.ndarray]:
    """The next token's distribution at every place of a string, and what each token costs the parser.

    tokens (T,) int64, the end among them or not. Returns next_probs (T + 1, V) float64, row i the distribution
    of the token after the first i, all zero after the end; and measures (T, 4) float64, row i those of token i in
    the order of MEASURES: states in its set, entropy in nats of the partial parses, additions, multiplications.
    `ValueError` for a string that the grammar cannot begin with.
    """
    next_probs = np.zeros((len(tokens) + 1, tables.terminals))
    measures = np.zeros((len(tokens), len(MEASURES)))
    read = read_string(np.asarray(tokens, np.int64), tables, next_probs, measures)
    if read < len(tokens):
        allowed = np.flatnonzero(next_probs[read]).tolist()
        raise ValueError(f"No string of the grammar has token {tokens[read]} at position {read} here; possible are {allowed}.")
    return next_probs, measures


@compiled
def read_string(tokens, tables, next_probs, measures):
    """Fill both arrays, row by row; returns how many tokens were read: all, or up to one that cannot be there."""
    length, dots, nonterminals = len(tokens), len(tables.after), len(tables.first_rule) - 1
    chart = Chart(
        np.empty((0, 3), np.int32),
        np.empty((0, 4), np.float64),
        np.full((length + 1, tables.terminals + nonterminals), -1, np.int32),
        np.full((length + 1, nonterminals), -1, np.int32),
        np.full((length + 1, dots), -1, np.int32),
        np.zeros(4, np.int64),
    )
    for i in range(length + 1):
        chart = with_room(chart, dots * (i + 1))
        chart.tally[SET] = chart.tally[STATES]
        additions, multiplications = chart.tally[ADDITIONS], chart.tally[MULTIPLICATIONS]
        if i == 0:
            start_rules(0, 0, 1.0, 0.0, chart, tables)
            predict(0, chart, tables)
        else:
            token = tokens[i - 1]
            if not 0 <= token < tables.terminals or next_probs[i - 1, token] == 0:
                return i - 1
            ambiguity = scan(token, next_probs[i - 1, token], i, chart, tables)
            complete(i, chart, tables)
            predict(i, chart, tables)
            row = measures[i - 1]
            row[0], row[1] = chart.tally[STATES] - chart.tally[SET], ambiguity
            row[2], row[3] = chart.tally[ADDITIONS] - additions, chart.tally[MULTIPLICATIONS] - multiplications
        for token in range(tables.terminals):
            next_probs[i, token] = total(chart.waiting[i, token], FORWARD, chart)[0]
    return length


@compiled
def scan(token, share, i, chart, tables):
    """Move the states of the last set that wait for the token over it; returns the entropy of the partial parses.

    `share` is the token's probability there: forward probabilities are divided by it, so that they sum to 1.
    """
    ambiguity = 0.0
    state = chart.waiting[i - 1, token]
    while state >= 0:
        made = move(state, 1 / share, xlogx(1 / share), i, chart, tables)
        ambiguity -= chart.masses[made, FORWARD_LOG]
        state = chart.states[state, NEXT]
    chart.tally[ADDITIONS] += chart.tally[STATES] - chart.tally[SET] - 1
    return max(ambiguity, 0.0)


@compiled
def complete(i, chart, tables):
    """Move the states that wait for a symbol which ends here over it."""
    for start in range(i - 1, -1, -1):
        for symbol in range(chart.complete.shape[1] - 1, 0, -1):
            if chart.complete[start, symbol] < 0:
                continue
            inner, inner_log, number = total(chart.complete[start, symbol], INNER, chart)
            chart.complete[start, symbol] = -1
            chart.tally[ADDITIONS] += number - 1
            state = chart.waiting[start, tables.terminals + symbol]
            while state >= 0:
                before = chart.tally[STATES]
                move(state, inner, inner_log, i, chart, tables)
                chart.tally[MULTIPLICATIONS] += 2
                chart.tally[ADDITIONS] += 2 * (chart.tally[STATES] == before)
                state = chart.states[state, NEXT]


@compiled
def predict(i, chart, tables):
    """Start the rules of every symbol that a state of the set waits for."""
    for symbol in range(1, chart.complete.shape[1]):
        if chart.waiting[i, tables.terminals + symbol] >= 0:
            forward, forward_log, number = total(chart.waiting[i, tables.terminals + symbol], FORWARD, chart)
            start_rules(symbol, i, forward, forward_log, chart, tables)
            chart.tally[ADDITIONS] += number - 1
            chart.tally[MULTIPLICATIONS] += tables.first_rule[symbol + 1] - tables.first_rule[symbol]


@compiled
def total(state, kind, chart):
    """The probabilities of one kind, summed over a list of states, with their sums of q ln q; and how many there are."""
    p, p_log, number = 0.0, 0.0, 0
    while state >= 0:
        p += chart.masses[state, kind]
        p_log += chart.masses[state, kind + 1]
        number += 1
        state = chart.states[state, NEXT]
    return p, p_log, number


@compiled
def start_rules(symbol, i, p, p_log, chart, tables):
    """Add the states at the beginning of a symbol's rules, for a forward probability p of the symbol."""
    for rule in range(tables.first_rule[symbol], tables.first_rule[symbol + 1]):
        q = tables.probability[rule]
        add(tables.first_dot[rule], i, p * q, p * xlogx(q) + p_log * q, q, xlogx(q), i, chart, tables)


@compiled
def move(state, p, p_log, i, chart, tables):
    """Add the state with the dot one symbol further, its probabilities times p; returns its number."""
    forward, forward_log, inner, inner_log = chart.masses[state, 0], chart.masses[state, 1], chart.masses[state, 2], chart.masses[state, 3]
    dot, start = chart.states[state, DOT] + 1, chart.states[state, START]
    return add(dot, start, forward * p, forward * p_log + forward_log * p, inner * p, inner * p_log + inner_log * p, i, chart, tables)


@compiled
def add(dot, start, forward, forward_log, inner, inner_log, i, chart, tables):
    """Add to the probabilities of a state of set i, made first where there is none; returns its number."""
    state = chart.known[start, dot]
    if state < chart.tally[SET]:
        state = chart.known[start, dot] = chart.tally[STATES]
        chart.tally[STATES] += 1
        chart.masses[state] = 0
        chart.states[state, DOT], chart.states[state, START] = dot, start
        if tables.after[dot] >= 0:
            chart.states[state, NEXT] = chart.waiting[i, tables.after[dot]]
            chart.waiting[i, tables.after[dot]] = state
        else:
            chart.states[state, NEXT] = chart.complete[start, tables.left[dot]]
            chart.complete[start, tables.left[dot]] = state
    mass = chart.masses[state]
    mass[FORWARD] += forward
    mass[FORWARD_LOG] += forward_log
    mass[INNER] += inner
    mass[INNER_LOG] += inner_log
    return state


@compiled
def with_room(chart, number):
    """The chart with room for so many states more."""
    made = chart.tally[STATES]
    if made + number <= len(chart.states):
        return chart
    states, masses = np.empty((2 * (made + number), 3), np.int32), np.empty((2 * (made + number), 4), np.float64)
    states[:made], masses[:made] = chart.states[:made], chart.masses[:made]
    return Chart(states, masses, chart.waiting, chart.complete, chart.known, chart.tally)


@compiled
def xlogx(p):
    return p * np.log(p)
