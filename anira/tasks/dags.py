"""Directed acyclic graphs in bulk, compiled: generators, the search that BREVO's answers come from, the tokens.

A graph on n nodes is an array of edges (m, 2): row (u, v) says that node v depends on node u. Nodes are
numbered in a topological order, u < v, and node n-1, which has at least one dependency, is the one that
BREVO asks about.
"""

import numpy as np

from anira.tasks.compiled import compiled
from anira.tasks.split import ANY, TRIES, graph_is_held_out

PHYSICS, CHAINS, TREE, LAYERED, SPARSE, DENSE, HUBS = range(7)  # codes of the families in graphs.py
MAX_DEGREE = 4


@compiled
def shuffle(rng: np.random.Generator, items: np.ndarray) -> None:
    """Permute the rows of `items` in place, uniformly (Fisher–Yates)."""
    for i in range(len(items) - 1, 0, -1):
        j = rng.integers(0, i + 1)
        row = items[i].copy()
        items[i] = items[j]
        items[j] = row


@compiled
def draw_names(rng: np.random.Generator, n: int, names: int) -> np.ndarray:
    """(n,) int64: n of the numbers 0..names-1, without replacement, in random order."""
    pool = np.arange(names)
    for i in range(n):
        j = rng.integers(i, names)
        pool[i], pool[j] = pool[j], pool[i]
    return pool[:n]


@compiled
def pick(rng: np.random.Generator, pool: np.ndarray, size: int, k: int) -> None:
    """Move k of the first `size` entries of `pool`, drawn uniformly without repetition, to its front."""
    for i in range(k):
        j = rng.integers(i, size)
        pool[i], pool[j] = pool[j], pool[i]


@compiled
def physics_dag(rng: np.random.Generator, n: int, edges: np.ndarray) -> int:
    """See `Physics`. Every generator writes its edges into the first rows of `edges` and returns their number."""
    leaves = rng.integers(1, (n - 1) // 4 + 2)
    children = np.zeros(n, np.int64)
    open_nodes = np.arange(n)  # the first `available`, in increasing order, can take another child
    drawn = np.empty(MAX_DEGREE, np.int64)
    available, m = leaves, 0
    for node in range(leaves, n):
        parents = min(rng.integers(1, MAX_DEGREE + 1), available)
        full = False
        for k in range(parents):
            drawn[k] = rng.integers(k, available)
            open_nodes[k], open_nodes[drawn[k]] = open_nodes[drawn[k]], open_nodes[k]
            edges[m, 0], edges[m, 1] = open_nodes[k], node
            children[open_nodes[k]] += 1
            full |= children[open_nodes[k]] == MAX_DEGREE
            m += 1
        for k in range(parents - 1, -1, -1):  # undoing the swaps is cheaper than listing the open nodes again
            open_nodes[k], open_nodes[drawn[k]] = open_nodes[drawn[k]], open_nodes[k]
        if full:
            kept = 0
            for i in range(available):
                if children[open_nodes[i]] < MAX_DEGREE:
                    open_nodes[kept] = open_nodes[i]
                    kept += 1
            available = kept  # type: ignore[assignment]  # numba's integers are one type
        open_nodes[available] = node
        available += 1
    return m


@compiled
def chains(rng, n, count, edges):
    last = np.arange(count)
    for node in range(count, n):
        chain = rng.integers(0, count)
        edges[node - count, 0], edges[node - count, 1] = last[chain], node
        last[chain] = node
    return n - count


@compiled
def tree(rng, n, branching, edges):
    room = np.full(n, branching)
    open_nodes = np.empty(n, np.int64)
    open_nodes[0], available = n - 1, 1
    for node in range(n - 2, -1, -1):
        i = rng.integers(0, available)
        v = open_nodes[i]
        edges[node, 0], edges[node, 1] = node, v
        room[v] -= 1
        if room[v] == 0:
            available -= 1
            open_nodes[i] = open_nodes[available]
        open_nodes[available] = node
        available += 1
    return n - 1


@compiled
def layered(rng, n, width, parents, edges):
    pool = np.empty(width, np.int64)
    m = 0
    for node in range(width, n):
        first = (node // width - 1) * width
        for i in range(width):
            pool[i] = first + i
        k = rng.integers(1, min(parents, width) + 1)
        pick(rng, pool, width, k)
        for i in range(k):
            edges[m, 0], edges[m, 1] = pool[i], node
            m += 1
    return m


@compiled
def sparse(rng, n, parents, edges):
    pool = np.arange(n)  # after any number of picks the first `node` entries are still the nodes before it
    m = 0
    for node in range(1, n):
        k = rng.integers(1 if node == n - 1 else 0, min(parents, node) + 1)
        pick(rng, pool, node, k)
        for i in range(k):
            edges[m, 0], edges[m, 1] = pool[i], node
            m += 1
    return m


@compiled
def dense(rng, n, probability, edges):
    m = 0
    for node in range(1, n):
        for earlier in range(node):
            if rng.random() < probability:
                edges[m, 0], edges[m, 1] = earlier, node
                m += 1
    if m == 0 or edges[m - 1, 1] != n - 1:
        edges[m, 0], edges[m, 1] = rng.integers(0, n - 1), n - 1
        m += 1
    return m


@compiled
def hubs(rng, n, parents, attraction, edges):
    taken = np.full(n, -1, np.int64)  # the last node that depends on this one
    m = 0
    for node in range(1, n):
        before, found = m, 0
        while found < min(parents, node):
            # the source of an edge drawn uniformly is a node drawn by its out-degree
            if rng.random() * (node + attraction * before) < node:
                u = rng.integers(0, node)
            else:
                u = edges[rng.integers(0, before), 0]
            if taken[u] != node:
                taken[u] = node
                edges[m, 0], edges[m, 1] = u, node
                m, found = m + 1, found + 1
    return m


@compiled
def draw_graph(rng: np.random.Generator, n: int, code: int, knobs: np.ndarray, room: np.ndarray) -> np.ndarray:
    """The edges (m, 2) of a graph on n nodes of the family with this code, in random order, within `room`."""
    a, b = knobs
    if code == PHYSICS:
        m = physics_dag(rng, n, room)
    elif code == CHAINS:
        m = chains(rng, n, int(a), room)
    elif code == TREE:
        m = tree(rng, n, int(a), room)
    elif code == LAYERED:
        m = layered(rng, n, int(a), int(b), room)
    elif code == SPARSE:
        m = sparse(rng, n, int(a), room)
    elif code == DENSE:
        m = dense(rng, n, a, room)
    else:
        m = hubs(rng, n, int(a), b, room)
    edges = room[:m]
    shuffle(rng, edges)
    return edges


@compiled
def solve(n: int, edges: np.ndarray, names: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The answer for query node n-1, and the features of each of its nodes, by one instrumented search.

    `names` (n,) orders the nodes: predecessors are visited by increasing name. A node is *discovered*
    when the search first lists it as a predecessor of the node it is expanding. Returns the nodes in the
    order of emission (k,) and their features (k, 13), in the order of `brevo.FEATURES`. Takes time and
    space in proportion to nodes and edges, up to the sorting of the names.
    """
    m, query = len(edges), n - 1
    # the children of u are dependents[first_child[u]:first_child[u + 1]]; parents likewise
    first_child, first_parent = np.zeros(n + 1, np.int64), np.zeros(n + 1, np.int64)
    for e in range(m):
        first_child[edges[e, 0] + 1] += 1
        first_parent[edges[e, 1] + 1] += 1
    in_degree, out_degree = first_parent[1:].copy(), first_child[1:].copy()
    hub = out_degree.max()
    first_child, first_parent = np.cumsum(first_child), np.cumsum(first_parent)
    dependents, parents = np.empty(m, np.int64), np.empty(m, np.int64)
    filled = first_child[:-1].copy()
    for e in range(m):
        u, v = edges[e]
        dependents[filled[u]] = v
        filled[u] += 1
    filled = first_parent[:-1].copy()
    for u in np.argsort(names):  # filling by name keeps each list of parents sorted
        for i in range(first_child[u], first_child[u + 1]):
            v = dependents[i]
            parents[filled[v]] = u
            filled[v] += 1

    height = np.zeros(n, np.int64)
    for v in range(n):  # nodes are in topological order
        for i in range(first_parent[v], first_parent[v + 1]):
            height[v] = max(height[v], height[parents[i]] + 1)
    distance = np.full(n, n, np.int64)
    distance[query] = 0
    for v in range(query, -1, -1):
        for i in range(first_parent[v], first_parent[v + 1]):
            distance[parents[i]] = min(distance[parents[i]], distance[v] + 1)
    is_ancestor = distance < n
    ancestors = is_ancestor.sum() - 1

    entered = np.zeros(n, np.bool_)
    depth = np.full(n, -1, np.int64)  # recursion depth at discovery, -1 while undiscovered
    depth[query] = 0
    missing = in_degree.copy()  # dependencies not yet emitted
    stack, level, child = np.empty(n, np.int64), np.empty(n, np.int64), first_parent[:-1].copy()
    order = np.empty(ancestors, np.int64)
    features = np.empty((ancestors, 13), np.float64)
    discovered = emitted = 0
    top = 0
    stack[0], level[0], entered[query] = query, 0, True
    while top >= 0:
        v = stack[top]
        if child[v] == first_parent[v]:  # expanding v discovers all its predecessors
            for i in range(first_parent[v], first_parent[v + 1]):
                if depth[parents[i]] < 0:
                    depth[parents[i]] = level[top] + 1
                    discovered += 1
        while child[v] < first_parent[v + 1] and entered[parents[child[v]]]:
            child[v] += 1
        if child[v] < first_parent[v + 1]:
            u = parents[child[v]]
            entered[u] = True
            top += 1
            stack[top], level[top] = u, level[top - 1] + 1
            continue
        top -= 1
        if v == query:
            break
        enabled = 0
        for i in range(first_child[v], first_child[v + 1]):
            u = dependents[i]
            missing[u] -= 1
            if missing[u] == 0 and is_ancestor[u] and u != query:
                enabled += 1
        order[emitted] = v
        row = features[emitted]
        row[0], row[1], row[2], row[3] = n, m, ancestors, hub
        row[4], row[5], row[6], row[7], row[8] = in_degree[v], out_degree[v], out_degree[v] - (distance[v] == 1), height[v], distance[v]
        row[9], row[10], row[11], row[12] = depth[v], discovered - emitted, enabled, emitted
        emitted += 1
    return order, features


@compiled
def fill(rng, side, sizes, names, code, knobs, room, specials, tokens, prompt_lengths, lengths, features):
    """Draw one BREVO instance per row and write its tokens, lengths and features in place; returns how many rows it could.

    `specials` are the tokens <bos>, <query>, <answer>, <eos>; that of a node is its name plus the first
    number after them, and a further `names` more where it is the head of an edge. `room` (m, 2) holds the edges of any one graph.
    """
    bos, query, answer, eos = specials
    first = eos + 1
    for row in range(len(sizes)):
        n = sizes[row]
        for _ in range(TRIES):
            edges = draw_graph(rng, n, code, knobs, room)
            named = draw_names(rng, n, names)
            if side == ANY or graph_is_held_out(edges, named, n - 1) == side:
                break
        else:
            return row
        order, values = solve(n, edges, named)
        line = tokens[row]
        line[0] = bos
        t = 1
        for e in range(len(edges)):
            line[t], line[t + 1] = named[edges[e, 0]] + first, named[edges[e, 1]] + first + names
            t += 2
        line[t], line[t + 1], line[t + 2] = query, named[n - 1] + first, answer
        t += 3
        prompt_lengths[row] = t
        for i in range(len(order)):
            line[t] = named[order[i]] + first
            if len(features):
                features[row, t] = values[i]
            t += 1
        line[t] = eos
        lengths[row] = t + 1
    return len(sizes)
