"""What the page draws and computes of graphs and expressions by itself is what Python does: layout, value, text, stack features."""

import networkx as nx
import numpy as np

from anira.drawing.layout import layout
from anira.tasks import Brevo, Mano, graphs
from anira.tasks.mano import Expression


def test_a_graph_is_drawn_where_python_draws_it_in_whatever_order_its_arrows_are_listed(javascript):
    rng = np.random.default_rng(11)
    drawn = []
    for family in (graphs.PAPER, graphs.Chains(2), graphs.Tree(), graphs.Layered(), graphs.Sparse(), graphs.Dense(), graphs.Hubs()):
        task = Brevo(sizes=(16,), node_names=16, graphs=family)
        for size in range(max(3, family.smallest), 17):
            drawn += [task.sample(size, rng).source for _ in range(25)]
    for graph in drawn[::5]:
        graph.add_node("zz")  # drawn by the reader, without an arrow yet
    for i in rng.permutation(len(drawn))[:200]:  # many in one layer
        wide = nx.DiGraph()
        wide.add_edges_from((f"{tail}", "q") for tail in rng.choice(list("abcdefghijklmnop"), int(rng.integers(5, 13)), replace=False))
        drawn[i] = wide
    assert len(drawn) > 2000
    asked = [[sorted(graph), [list(edge) for edge in rng.permutation(list(graph.edges))]] for graph in drawn]
    found = javascript("layout", "({ layout }, data) => data.map(([nodes, edges]) => Object.fromEntries(layout(nodes, edges)))", asked)
    for graph, got in zip(drawn, found, strict=True):
        expected = layout(graph)
        assert got.keys() == expected.keys()
        assert all(np.abs(np.subtract(got[name], expected[name])).max() < 6e-4 for name in graph), (graph.edges, got, expected)


def instances(task, count, largest, rng):
    return [task.sample(int(rng.integers(1, largest + 1)), rng) for _ in range(count)]


def test_an_expression_has_the_value_the_text_and_the_stack_of_the_task(javascript):
    rng = np.random.default_rng(12)
    asked, expected = [], []
    for modulus in (2, 5, 23):
        task = Mano(sizes=(1,), modulus=modulus)
        for instance in instances(task, 1000, 12, rng):
            names = task.vocabulary.decode(instance.tokens)
            asked.append([names[1:-2], modulus])
            stack = {name: instance.features[name][1:-2].tolist() for name in ("stack_height", "slots_left", "completed_size", "completions")}
            expected.append((int(names[-1]), str(instance.source), stack, names[:-1]))
    code = """({ parsePrefix, writeOut, valueOf, expressionPrompt, prefixOf, parseExpression }, data) => data.map(([names, modulus]) => {
      const tree = parsePrefix(names), text = writeOut(tree);
      return [valueOf(tree, modulus), text, expressionPrompt(tree), prefixOf(parseExpression(text, modulus))];
    })"""
    found = javascript("expression", code, asked)
    stacks = javascript("tree", "({ stackFeatures }, data) => data.map(([names]) => stackFeatures(names))", asked)
    for (names, _), (value, text, stack, prompt), got, rows in zip(asked, expected, found, stacks, strict=True):
        assert got == [value, text, prompt, names]
        assert {name: [row[name] for row in rows] for name in stack} == stack


def test_what_a_reader_types_is_read_as_python_reads_it(javascript):
    """× before + and -, from left to right, by Python's own grammar."""
    rng = np.random.default_rng(13)
    texts = []
    for _ in range(1000):
        text = str(rng.integers(23))
        for _ in range(int(rng.integers(1, 7))):
            text = f"{text} {rng.choice(list('+-*'))} {rng.integers(23)}"
            text = f"({text})" if rng.random() < 0.3 else text
        texts.append(text)
    code = "({ parseExpression, prefixOf, valueOf }, data) => data.map((text) => { const tree = parseExpression(text, 23); return [valueOf(tree, 23), prefixOf(tree)]; })"
    for text, (value, names) in zip(texts, javascript("expression", code, texts), strict=True):
        assert value == eval(text) % 23 == Expression.parse(iter(names)).value(23)


def test_expressions_drawn_in_the_page_are_distributed_as_the_task_draws_them(javascript):
    count, operators = 4000, 6
    code = """({ randomExpression, prefixOf }, [count, operators]) => {
      let state = 1; // an own generator: the test is about the expressions
      const random = () => (state = (state * 48271) % 2147483647) / 2147483647;
      return Array.from({ length: count }, () => prefixOf(randomExpression(operators, 5, random)));
    }"""
    task = Mano(sizes=(operators,), modulus=5)
    rng = np.random.default_rng(14)
    drawn = javascript("expression", code, [count, operators])
    wanted = [task.vocabulary.decode(task.sample(operators, rng).prompt[1:-1]) for _ in range(count)]

    def facts(names):
        tree = Expression.parse(iter(names))
        left = sum(name in "+-×" for name in tree.left.prefix()) if isinstance(tree.left, Expression) else 0
        return [left, left**2, names.count("×"), names.count("-"), names.count("0"), names.count("4")]

    got, own = (np.array([facts(names) for names in some]) for some in (drawn, wanted))
    spread = np.sqrt((got.var(0) + own.var(0)) / count)
    assert (np.abs(got.mean(0) - own.mean(0)) < 4 * spread).all()
