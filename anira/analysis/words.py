"""What readers call the things that tables have columns for. A name without an entry stays as it is, its underscores as spaces."""

from collections.abc import Iterable

#: Difficulties of tokens, as axes, menus and tables name them; what each is exactly stands with its task (`task.features`).
FEATURES = {
    "expected_depth": "the depth it chose, E[d]",
    "size": "size",
    "position": "position",
    # BREVO, and what DEPO shares with it
    "nodes": "nodes of the graph, N",
    "edges": "edges of the graph",
    "emitted": "place in the answer",
    "ancestors": "length of the answer",
    "hub_out_degree": "arrows from the busiest node",
    "in_degree": "nodes it depends on",
    "out_degree": "nodes that depend on it",
    "dependents": "its dependents (hub)",
    "height": "longest chain that it ends",
    "query_distance": "steps to the query",
    "dfs_depth": "depth in the search",
    "frontier_size": "nodes on the frontier",
    "newly_enabled": "nodes that become ready",
    # DEPO
    "hops": "hops asked for, k",
    "readings": "readings of the list",
    "travel": "edges passed over",
    "answered": "queries answered before",
    # MANO
    "operators": "operators, L",
    "multiplications": "multiplications",
    "tree_height": "height of the expression",
    "slots_left": "operand slots left on top of the stack",
    "completed_size": "tokens of the part just completed",
    "stack_height": "operators on the stack",
    "completions": "operators that it completes",
    # LANO
    "levels": "levels of the grammar",
    "entropy": "entropy of the next token",
    "surprisal": "surprise at the token",
    "expansion": "partial parses added",
    "ambiguity": "partial parses left, entropy",
    "convergence": "ambiguity that it removes",
    "additions": "additions of the parser",
    # CLRS
    "problem": "which algorithm",
    "element": "numbers of the answer before",
    "digit": "digits of the number before",
    "steps": "steps of the algorithm",
    "settled": "step at which it is settled",
}


def feature(name: str) -> str:
    """A difficulty in words.

    >>> feature("dfs_depth"), feature("one_of_my_own")
    ('depth in the search', 'one of my own')
    """
    return FEATURES.get(name, name.replace("_", " "))


def in_order(names: Iterable[str]) -> list[str]:
    """Names of difficulties in the order of `FEATURES`, each once; unknown ones last, as they come.

    >>> in_order(["mine", "dfs_depth", "nodes", "dfs_depth"])
    ['nodes', 'dfs_depth', 'mine']
    """
    own, known = list(dict.fromkeys(names)), list(FEATURES)
    return sorted(own, key=lambda name: known.index(name) if name in known else len(known))
