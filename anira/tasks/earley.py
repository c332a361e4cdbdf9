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

import numpy as np
from numba import njit

from anira.tasks.grammar import Tables

MEASURES = ("expansion", "ambiguity", "additions", "multiplications")
DOT, START, NEXT = range(3)  # of a state: its dotted rule, where its symbol starts, the next state of the same list
FORWARD, FORWARD_LOG, INNER, INNER_LOG = range(4)  # of a state: p and the sum of q ln q, twice


def parse(tokens: np.ndarray, tables: Tables) -> tuple[np.ndarray, np.ndarray]:
    """The next token's distribution at every place of a string, and what each token costs the parser.

    tokens (T,) int64, the end among them or not. Returns next_probs (T + 1, V) float64, row i the distribution
    of the token after the first i, all zero after the end; and measures (T, 4) float64, row i those of token i in
    the order of MEASURES: states in its set, entropy in nats of the partial parses, additions, multiplications.
    `ValueError` for a string that the grammar cannot begin with.
    """
    next_probs = np.zeros((len(tokens) + 1, tables.terminals))
    measures = np.zeros((len(tokens), len(MEASURES)))
    read = fill_chart(np.asarray(tokens, np.int64), tables, next_probs, measures)
    if read < len(tokens):
        allowed = np.flatnonzero(next_probs[read]).tolist()
        raise ValueError(f"No string of the grammar has token {tokens[read]} at position {read} here; possible are {allowed}.")
    return next_probs, measures


@njit(cache=True)
def xlogx(p):
    return p * np.log(p)


@njit(cache=True)
def fill_chart(tokens, tables, next_probs, measures):
    """Fill both arrays, row by row; returns how many tokens were read: all, or up to one that cannot be there."""
    terminals, first_rule, probability, _, first_dot, after, left = tables
    length, symbols, dots = len(tokens), len(first_rule) - 1, len(after)
    states, masses = np.empty((1024, 3), np.int32), np.empty((1024, 4), np.float64)
    waiting = np.full((length + 1, terminals + symbols), -1, np.int32)  # first state of each set with this symbol behind its dot
    complete = np.full((length + 1, symbols), -1, np.int32)  # first complete state of the present set, by start and symbol
    known = np.full((length + 1, dots), -1, np.int32)  # the latest state with this start and dotted rule
    mass = np.empty(4, np.float64)
    count = 0

    for i in range(length + 1):
        first, additions, multiplications, ambiguity = count, 0, 0, 0.0
        if count + dots * (i + 1) > len(states):
            size = 2 * (count + dots * (i + 1))
            states, masses = enlarged(states, size), enlarged(masses, size)

        if i == 0:
            for rule in range(first_rule[1]):
                p = probability[rule]
                mass[FORWARD], mass[FORWARD_LOG], mass[INNER], mass[INNER_LOG] = p, xlogx(p), p, xlogx(p)
                count = add(first_dot[rule], 0, mass, first, count, states, masses, known, after, left, waiting[i], complete)
        else:
            token = tokens[i - 1]
            if not 0 <= token < terminals or next_probs[i - 1, token] == 0:
                return i - 1
            scale = 1 / next_probs[i - 1, token]
            state = waiting[i - 1, token]
            while state >= 0:
                times(masses[state], scale, xlogx(scale), mass)
                ambiguity -= mass[FORWARD_LOG]
                count = add(states[state, DOT] + 1, states[state, START], mass, first, count, states, masses, known, after, left, waiting[i], complete)
                state = states[state, NEXT]
            additions += count - first - 1

            for k in range(i - 1, -1, -1):
                for symbol in range(symbols - 1, 0, -1):
                    state = complete[k, symbol]
                    if state < 0:
                        continue
                    complete[k, symbol] = -1
                    inner, inner_log = 0.0, 0.0
                    while state >= 0:
                        inner += masses[state, INNER]
                        inner_log += masses[state, INNER_LOG]
                        state = states[state, NEXT]
                        additions += state >= 0
                    state = waiting[k, terminals + symbol]
                    while state >= 0:
                        times(masses[state], inner, inner_log, mass)
                        before = count
                        count = add(states[state, DOT] + 1, states[state, START], mass, first, count, states, masses, known, after, left, waiting[i], complete)
                        multiplications += 2
                        additions += 2 * (count == before)
                        state = states[state, NEXT]

        for symbol in range(1, symbols):
            state = waiting[i, terminals + symbol]
            if state < 0:
                continue
            forward, forward_log = 0.0, 0.0
            while state >= 0:
                forward += masses[state, FORWARD]
                forward_log += masses[state, FORWARD_LOG]
                state = states[state, NEXT]
                additions += state >= 0
            for rule in range(first_rule[symbol], first_rule[symbol + 1]):
                p = probability[rule]
                mass[FORWARD], mass[FORWARD_LOG], mass[INNER], mass[INNER_LOG] = forward * p, forward * xlogx(p) + forward_log * p, p, xlogx(p)
                count = add(first_dot[rule], i, mass, first, count, states, masses, known, after, left, waiting[i], complete)
                multiplications += 1

        for token in range(terminals):
            state = waiting[i, token]
            while state >= 0:
                next_probs[i, token] += masses[state, FORWARD]
                state = states[state, NEXT]
        if i > 0:
            row = measures[i - 1]
            row[0], row[1], row[2], row[3] = count - first, max(ambiguity, 0.0), additions, multiplications
    return length


@njit(cache=True)
def times(mass, p, p_log, product):
    """Write the probabilities of a state, times p, to `product`; p_log is the sum of q ln q that goes with p."""
    for i in range(0, 4, 2):
        product[i] = mass[i] * p
        product[i + 1] = mass[i] * p_log + mass[i + 1] * p


@njit(cache=True)
def add(dot, start, mass, first, count, states, masses, known, after, left, waiting, complete):
    """Add to the probabilities of the set's state with this dot and start, made first where there is none; returns the new count."""
    state = known[start, dot]
    if state >= first:
        for i in range(4):
            masses[state, i] += mass[i]
        return count
    known[start, dot] = count
    for i in range(4):
        masses[count, i] = mass[i]
    symbol = after[dot]
    states[count, DOT], states[count, START] = dot, start
    if symbol >= 0:
        states[count, NEXT] = waiting[symbol]
        waiting[symbol] = count
    else:
        states[count, NEXT] = complete[start, left[dot]]
        complete[start, left[dot]] = count
    return count + 1


@njit(cache=True)
def enlarged(rows, size):
    """A copy with room for `size` rows."""
    larger = np.empty((size, rows.shape[1]), rows.dtype)
    larger[: len(rows)] = rows
    return larger
