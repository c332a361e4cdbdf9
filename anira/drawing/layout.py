"""Where to draw the nodes of a small directed acyclic graph.

Layers go from left to right by height: an edge always points to the right, so reading a picture from left
to right is reading it in an order in which it can be solved. Within its layer each node takes one of a few
vertical slots. The search starts from the barycenter order and descends, one node or one swap at a time,
on a cost that counts what makes a drawing hard to read: an edge running into a node that is not its own,
edges crossing, edges longer than they need be. No randomness: the same graph always looks the same.
"""

import networkx as nx
import numpy as np
from numba import njit

SLOTS = 9
LAYER_GAP = 0.24  # between layers, at most, in widths of the drawing: few layers huddle in the middle
ASPECT = 1.45  # width over height of the drawing, so that distances are those the eye sees
STRETCH = 1.6  # a flat drawing is pulled apart vertically, at most by this factor
SEPARATION = 0.3  # between two nodes of a layer, where there is room for it
CLEARANCE = 0.085  # an edge should pass other nodes at this distance, in heights of the drawing


def layout(graph: nx.DiGraph) -> dict[str, tuple[float, float]]:
    """Node name → (x, y), each in 0..1 with y pointing down, for graphs of up to a few dozen nodes."""
    names = sorted(graph)
    index = {name: i for i, name in enumerate(names)}
    height = np.zeros(len(names), np.int64)
    for name in nx.lexicographical_topological_sort(graph):
        for parent in graph.predecessors(name):
            height[index[name]] = max(height[index[name]], height[index[parent]] + 1)
    edges = np.array(sorted((index[u], index[v]) for u, v in graph.edges), np.int64).reshape(-1, 2)  # in whatever order they are listed
    layers = height.max() + 1
    gap = min(LAYER_GAP, 1 / max(1, layers - 1))
    x = 0.5 + (height - (layers - 1) / 2) * gap
    # A layer fuller than the slots would leave no room to move: give every node of it one to spare.
    slots = max(SLOTS, 2 * int(np.bincount(height).max()) - 1)
    y = descend(_barycenter(height, edges, slots), height, edges, x * ASPECT, slots)
    middle, span = (y.min() + y.max()) / 2, y.max() - y.min()
    y = 0.5 + (y - middle) / max(span, (slots - 1) / STRETCH)
    return {name: (round(float(x[i]), 3), round(float(y[i]), 3)) for name, i in index.items()}


def _barycenter(height: np.ndarray, edges: np.ndarray, slots: int) -> np.ndarray:
    """Slots (n,) by which every layer is ordered like the average of its parents, and spread evenly."""
    slot = np.zeros(len(height))
    for layer in range(height.max() + 1):
        nodes = np.flatnonzero(height == layer)
        parents = [slot[edges[edges[:, 1] == node, 0]] for node in nodes]
        order = np.argsort([parent.mean() if len(parent) else i for i, parent in enumerate(parents)], kind="stable")
        slot[nodes[order]] = (np.arange(len(nodes)) + 0.5) / len(nodes) * (slots - 1)
    return slot.round().astype(np.int64)


@njit(cache=True)
def descend(slot: np.ndarray, height: np.ndarray, edges: np.ndarray, x: np.ndarray, slots: int) -> np.ndarray:
    """Move single nodes to the slot (and swap places with whoever holds it) that lowers the cost most."""
    n = len(slot)
    best = cost(slot, edges, x, slots)
    for _ in range(30):
        before = best
        for node in range(n):
            for target in range(slots):
                home = slot[node]
                holder = -1
                for other in range(n):
                    if other != node and height[other] == height[node] and slot[other] == target:
                        holder = other
                slot[node] = target
                if holder >= 0:
                    slot[holder] = home
                found = cost(slot, edges, x, slots)
                if found < best - 1e-9:
                    best = found
                else:
                    slot[node] = home
                    if holder >= 0:
                        slot[holder] = target
        if best == before:
            break
    return slot


@njit(cache=True)
def cost(slot: np.ndarray, edges: np.ndarray, x: np.ndarray, slots: int) -> float:
    """How hard the drawing is to read: 10 per edge through a node, 1 per crossing, some for length."""
    total = 0.0
    unit = 1.0 / (slots - 1)
    for i in range(len(slot)):
        total += 0.02 * abs(slot[i] * unit - 0.5)  # prefer the middle
        for j in range(i):
            if x[i] == x[j]:
                total += 30 * max(0.0, SEPARATION - abs(slot[i] - slot[j]) * unit)
    for e in range(len(edges)):
        a, b = edges[e]
        ax, ay, bx, by = x[a], slot[a] * unit, x[b], slot[b] * unit
        dx, dy = bx - ax, by - ay
        total += 0.25 * abs(dy)
        for node in range(len(slot)):
            if node != a and node != b and ax < x[node] < bx:
                along = (x[node] - ax) / dx
                away = abs(slot[node] * unit - (ay + along * dy)) * dx / np.sqrt(dx * dx + dy * dy)
                if away < CLEARANCE:
                    total += 10 * (1 - away / CLEARANCE) + 2
                elif away < 2 * CLEARANCE:
                    total += 0.5 * (2 - away / CLEARANCE)
        for f in range(e):
            c, d = edges[f]
            if a == c or a == d or b == c or b == d:
                continue
            left, right = max(ax, x[c]), min(bx, x[d])
            if left < right:  # both lines exist there: they cross if their order changes
                slope = (slot[d] - slot[c]) * unit / (x[d] - x[c])
                first = ay + (left - ax) / dx * dy - (slot[c] * unit + (left - x[c]) * slope)
                last = ay + (right - ax) / dx * dy - (slot[c] * unit + (right - x[c]) * slope)
                if first * last < 0:
                    total += 1.0
    return total
