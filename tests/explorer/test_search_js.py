"""BREVO's search in the page is that of the task, and what the page draws and adds keeps the rules of the task."""

import networkx as nx
import numpy as np
import pytest

from anira.tasks import Brevo, graphs

FAMILIES = [graphs.PAPER, graphs.Chains(2), graphs.Tree(), graphs.Layered(), graphs.Sparse(), graphs.Dense(), graphs.Hubs()]
NAMES = list("abcdefghijklmnop")


def problem(instance, vocabulary):
    """Arrows in the order of the prompt, and the query."""
    names = vocabulary.decode(instance.prompt)
    return [[tail, head[1:]] for tail, head in zip(names[1:-3:2], names[2:-3:2], strict=True)], names[-2]


def ancestors(edges, query):
    return nx.ancestors(nx.DiGraph(map(tuple, edges)), query)


def test_the_answer_and_all_features_are_those_of_the_task_on_thousands_of_graphs(javascript):
    rng = np.random.default_rng(3)
    asked, expected = [], []
    for family in FAMILIES:
        task = Brevo(sizes=(16,), node_names=16, graphs=family)
        for size in range(max(3, family.smallest), 17):
            for _ in range(25):
                instance = task.sample(size, rng)
                lonely = [f"{i}" for i in range(size - len(instance.source))]  # nodes without an arrow: counted, and nowhere in the prompt
                asked.append((*problem(instance, task.vocabulary), lonely))
                rows = {name: values[len(instance.prompt) : -1].tolist() for name, values in instance.features.items()}
                expected.append((task.vocabulary.decode(instance.answer)[:-1], rows, task.vocabulary.decode(instance.prompt)))
    assert len(asked) > 2000
    code = "({ search, promptOf }, data) => data.map(([edges, query, lonely]) => [search(edges, query, lonely), promptOf(edges, query)])"
    found = javascript("search", code, asked)
    for (got, prompt), (answer, rows, names) in zip(found, expected, strict=True):
        assert got["answer"] == answer
        assert prompt == names
        assert {name: [row[name] for row in got["features"]] for name in rows} == rows


def test_a_cycle_is_named_and_one_that_an_arrow_would_close_too(javascript):
    rng = np.random.default_rng(4)
    asked = []
    for _ in range(300):
        n = int(rng.integers(2, 9))
        pairs = [[NAMES[i], NAMES[j]] for i in range(n) for j in range(n) if i != j and rng.random() < 0.25]
        asked.append((pairs, [NAMES[i] for i in rng.choice(n, 2, replace=False)]))
    found = javascript("search", "({ findCycle, cycle }, data) => data.map(([edges, arrow]) => [findCycle(edges), cycle(edges, arrow)])", asked)
    seen = {True: 0, False: 0}
    for (edges, arrow), (closed, would_close) in zip(asked, found, strict=True):
        graph = nx.DiGraph(map(tuple, edges))
        assert (closed is None) == nx.is_directed_acyclic_graph(graph)
        if closed is not None:
            assert closed[0] == closed[-1] and len(set(closed)) == len(closed) - 1 and nx.is_path(graph, closed)
        graph.add_nodes_from(arrow)
        assert (would_close is None) == (not nx.has_path(graph, arrow[1], arrow[0]))
        if would_close is not None:
            assert would_close[:2] == arrow and would_close[-1] == arrow[0] and nx.is_path(graph, would_close[1:])
        seen[would_close is None] += 1
    assert min(seen.values()) > 50


def test_an_arrow_from_a_node_to_itself_is_a_cycle(javascript):
    assert javascript("search", "({ cycle, findCycle }, data) => [cycle([], data), findCycle([data])]", ["a", "a"]) == [["a", "a"], ["a", "a"]]


def test_search_refuses_a_cycle_with_a_sentence_that_names_it(javascript):
    code = "({ search }, edges) => { try { search(edges, 'b'); } catch (error) { return [error.name, error.message]; } }"
    name, message = javascript("search", code, [["a", "b"], ["b", "c"], ["c", "a"]])
    assert name == "RangeError" and "a → b → c → a" in message


def test_a_query_that_depends_on_nothing_has_an_empty_answer(javascript):
    assert javascript("search", "({ search }, edges) => search(edges, 'a').answer", [["a", "b"]]) == []


@pytest.mark.parametrize("size", [3, 8, 16])
def test_graphs_drawn_in_the_page_are_distributed_as_the_paper_draws_them(javascript, size):
    count = 3000
    code = """({ randomGraph, randomFrom }, [n, count, names]) => {
      const random = randomFrom(5);
      return Array.from({ length: count }, () => randomGraph(n, names, random));
    }"""
    found = javascript("search", code, [size, count, NAMES])
    facts, wanted = [], []
    for drawn in found:
        graph = nx.DiGraph(map(tuple, drawn["edges"]))
        assert len(graph.edges) == len(drawn["edges"]) and nx.is_directed_acyclic_graph(graph) and len(graph) <= size
        assert max(dict(graph.in_degree).values()) <= 4 and max(dict(graph.out_degree).values()) <= 4
        facts.append([len(drawn["edges"]), len(nx.ancestors(graph, drawn["query"]))])
    task = Brevo(sizes=(size,), node_names=16)
    batch, features = task.batch_with_features(count, np.random.default_rng(6), size)
    first = batch.answer_mask.int().argmax(1).numpy()
    wanted = features[np.arange(count), first][:, [1, 2]]
    spread = np.sqrt((np.var(facts, 0) + np.var(wanted, 0)) / count)
    assert (np.abs(np.mean(facts, 0) - np.mean(wanted, 0)) < 4 * spread + 1e-9).all()
    assert len({drawn["query"] for drawn in found}) == 16


def test_what_is_added_does_not_matter_to_the_query(javascript):
    rng = np.random.default_rng(8)
    task = Brevo(sizes=range(3, 16), node_names=16)
    asked = [problem(task.sample(int(rng.integers(3, 16)), rng), task.vocabulary) for _ in range(500)]
    code = """({ addIrrelevant, search, randomFrom }, [asked, names]) => {
      const random = randomFrom(9);
      return asked.map(([edges, query]) => {
        const more = addIrrelevant(edges, query, names.filter((name) => !edges.flat().includes(name)), random);
        return [more, search(edges, query).answer, search(more.edges, query).answer];
      });
    }"""
    places, ends = [], 0
    for (edges, query), (more, before, after) in zip(asked, javascript("search", code, [asked, NAMES]), strict=True):
        assert before == after
        node, new = more["node"], [edge for edge in more["edges"] if edge not in edges]
        assert node not in {name for edge in edges for name in edge} | {query}
        assert 1 <= len(new) <= 4 and all(head == node and tail != node for tail, head in new)
        assert [edge for edge in more["edges"] if edge in edges] == edges
        assert ancestors(more["edges"], query) == ancestors(edges, query)
        free = {name for name in ancestors(edges, query) if sum(tail == name for tail, _ in edges) < 4}
        assert {tail for tail, _ in new} <= free or not free  # a dead end of the search, as `with_distractors` adds them
        ends += bool(free)
        places += [more["edges"].index(edge) / (len(more["edges"]) - 1) for edge in new if len(more["edges"]) > 1]
    assert 0.4 < np.mean(places) < 0.6 and ends > 400


def test_no_name_left_adds_nothing(javascript):
    assert javascript("search", "({ addIrrelevant }, edges) => addIrrelevant(edges, 'b', [])", [["a", "b"]]) is None
