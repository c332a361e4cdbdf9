"""The model in the page gives the depths, answers and exit probabilities of the model in PyTorch, activation by activation."""

import json
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
import torch

import anira
from anira.explorer.weights import pack
from anira.model.anira import Anira
from anira.model.deciders import depth_by_rule, threshold
from anira.model.decoding import generate_batch
from tests.explorer.pages import tasks_of_moves

from .conftest import serve_modules

MODELS = ["brevo-early-tiny", "brevo-online-tiny", "brevo-fixed-tiny", "brevo-untied-tiny", "mano-early-tiny", "mano-online-tiny"]
CHOOSING = MODELS[:2]
HYBRID = "hybrid, not trained"
RULES = ("mode", "median", "mean")
TIE = {"F(d) at the threshold": 1e-6, "two likeliest tokens": 1e-5}  # differences below which rounding may decide
LONGEST = 17  # tokens of an answer: one more than the longest right one
ANSWERS = """({ loadModel }, { packed, cases }) => {
  const model = loadModel(packed);
  return cases.map(({ prompt, rule, most }) => {
    const { answer, depths, exitProbs } = model.answer(prompt, { rule, maxTokens: most });
    return { answer, depths, exitProbs: Array.from(exitProbs, (q) => Number(q.toFixed(7))) };
  });
}"""
RUNS = """({ loadModel }, { packed, cases }) => {
  const model = loadModel(packed);
  return cases.map(({ tokens, rule, depths, from, right }) => {
    const { sequence, ...run } = model.run(tokens, { rule, depths });
    const states = Array.from(run.depths, (depth, t) => Array.from(sequence.states[depth].subarray(t * model.E, (t + 1) * model.E)));
    return {
      ...run, exitProbs: [...run.exitProbs], logits: [...run.logits], states,
      overDepth: model.overDepth(sequence, from), alone: model.alone(sequence, from), need: model.need(sequence, from, right),
    };
  });
}"""


@dataclass
class Comparison:
    """What a number of answers from the page and from PyTorch have in common.

    different: a line for each answer with another depth or token, which says whether it is a near tie.
    near_ties: how often each kind of near tie was met, whether or not anything came of it.
    """

    answers: int = 0
    positions: int = 0
    largest: float = 0.0
    different: list[str] = field(default_factory=list)
    near_ties: dict[str, int] = field(default_factory=lambda: dict.fromkeys(TIE, 0))


@torch.no_grad()
def compare(javascript, name: str, count: int, seed: int, result: Comparison | None = None) -> Comparison:
    """`count` graphs of 3 to 16 nodes, in equal shares under the three rules and five thresholds drawn at random, added to `result`."""
    model, task, _ = anira.load(name)
    packed, rng, result = pack(name, model, task), np.random.default_rng(seed), result or Comparison()
    rules = [*RULES, *(float(x) for x in rng.uniform(0.05, 0.95, 5).round(3))]
    cases = [(rule, list(task.sample(int(rng.integers(3, 17)), rng).prompt)) for rule in rules for _ in range(count // len(rules))]
    expected = []
    for rule in rules:
        prompts = [torch.tensor(prompt) for other, prompt in cases if other == rule]
        for first in range(0, len(prompts), 125):
            expected += generate_batch(model, prompts[first : first + 125], end_token=task.end_token, max_new_tokens=LONGEST, select=rule)
    for first in range(0, count, 500):
        asked = [{"prompt": prompt, "rule": rule, "most": LONGEST} for rule, prompt in cases[first : first + 500]]
        for i, got in enumerate(javascript("model", ANSWERS, {"packed": packed, "cases": asked}), start=first):
            _add(result, got, *expected[i][:2], cases[i][0], f"{name}, seed {seed}, rule {cases[i][0]}, graph {i}")
    return result


def _add(result: Comparison, got: dict, answer, output, rule, where: str) -> None:
    result.answers += 1
    result.positions += output.depths.shape[1]
    ties = near_ties(output, rule)
    for kind, positions in ties.items():
        result.near_ties[kind] += len(positions)
    if got["answer"] != answer.tolist() or got["depths"] != output.depths[0].tolist():
        result.different.append(f"{where}: near ties {ties}" if any(ties.values()) else f"{where}: no near tie")
    else:
        result.largest = max(result.largest, float(np.abs(np.array(got["exitProbs"]) - output.exit_probs[0].flatten().numpy()).max()))


def near_ties(output, rule) -> dict[str, list[int]]:
    """The positions at which rounding may decide, by kind."""
    probs = output.exit_probs[0]
    if rule == "mode":
        top = probs.topk(2).values
        gap = top[:, 0] - top[:, 1]
    elif rule == "mean":
        gap = ((output.expected_depths[0] % 1) - 0.5).abs()
    else:
        gap = (probs.cumsum(-1)[:, :-1] - threshold(rule)).abs().amin(-1)
    logits = output.logits[0].topk(2).values
    gaps = dict(zip(TIE, (gap, logits[:, 0] - logits[:, 1]), strict=True))
    return {kind: (gaps[kind] < limit).nonzero().flatten().tolist() for kind, limit in TIE.items()}


@pytest.mark.parametrize("name", CHOOSING)
def test_answers_depths_and_exit_probabilities_are_those_of_pytorch(javascript, name):
    result = compare(javascript, name, 48, 7)
    assert result.answers == 48 and result.different == []
    assert result.largest < 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("name", CHOOSING)
def test_ten_thousand_answers_are_those_of_pytorch(javascript, name, capsys):
    result = Comparison()
    for seed in range(2024, 2034):
        compare(javascript, name, 504, seed, result)
    with capsys.disabled():
        print(f"\n{name}: {result.answers} answers, {result.positions} positions, largest difference of q {result.largest:.1e}, near ties {result.near_ties}")
    assert result.answers == 5040 and result.different == []
    assert result.largest < 1e-4


@pytest.mark.parametrize("name", [*MODELS, HYBRID])
@torch.no_grad()
def test_activations_and_what_other_depths_would_say_are_those_of_pytorch(javascript, name):
    model, task = model_of(name)
    rng, D, least = np.random.default_rng(5), model.config.max_depth, model.config.min_depth
    cases, expected = [], []
    for size, rule in [(6, "median")] if task.name == "brevo" else [(2, "mode"), (3, 0.3)]:
        tokens = torch.tensor([task.sample(size, rng).tokens])
        first = int((tokens[0] == task.vocabulary.encode(["<answer>"])[0]).nonzero())
        given = torch.from_numpy(rng.integers(least, D + 1, tokens.shape))
        for depths in (None, given):
            chosen = model(tokens, depths, rule) if depths is not None else model(tokens, select=rule)
            late = "median" if depths is not None and rule == "mode" else rule  # given depths are run once, whatever the rule
            cases.append({"tokens": tokens[0].tolist(), "rule": late, "from": first, "right": tokens[0, first + 1 :].tolist()})
            cases[-1]["depths"] = None if depths is None else depths[0].tolist()
            expected.append((chosen, _final_states(model, tokens, chosen.depths)))
    for case, got, (chosen, states) in zip(cases, javascript("model", RUNS, {"packed": pack(name, model, task), "cases": cases}), expected, strict=True):
        assert got["depths"] == chosen.depths[0].tolist()
        assert got["computed"] == sum(got["depths"])
        assert np.allclose(got["exitProbs"], chosen.exit_probs[0].flatten(), rtol=0, atol=1e-5)
        assert np.allclose(got["states"], states, rtol=0, atol=1e-3)
        assert np.allclose(got["logits"], chosen.logits[0].flatten(), rtol=0, atol=1e-3)
        assert got["predictions"] == chosen.logits[0].argmax(-1).tolist()
        if model.config.untied:
            continue
        tokens, begin = torch.tensor([case["tokens"]]), case["from"]
        clamped = [model(tokens, chosen.depths.clamp(max=d)).logits[0, begin:].argmax(-1).tolist() for d in range(1, D + 1)]
        assert got["overDepth"] == clamped
        alone = np.array([[_alone(model, tokens, chosen.depths, t, d) for t in range(begin, tokens.shape[1])] for d in range(1, D + 1)])
        assert got["alone"] == alone.tolist()
        right = alone[:, :-1] == np.array(case["right"])
        assert got["need"] == [next((d + 1 for d in range(D) if right[d:, i].all()), 0) for i in range(right.shape[1])]


def model_of(name):
    """A shipped model and its task; the hybrid one has the trunk and both heads of shipped ones."""
    if name != HYBRID:
        return anira.load(name)[:2]
    (early, task, _), online = anira.load("brevo-early-tiny"), anira.load("brevo-online-tiny").model
    model = Anira(replace(online.config, decider="hybrid"))
    heads = {"prior": early.decider.head, "evidence": online.decider.head}
    weights = {f"decider.{name}.{key}": value for name, head in heads.items() for key, value in head.state_dict().items()}
    model.load_state_dict({key: value for key, value in online.state_dict().items() if not key.startswith("decider")} | weights)
    return model.eval(), task


def _final_states(model, tokens, depths) -> np.ndarray:
    """h(d*) of every token: what the coda is given."""
    seen = []
    hook = model.coda.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    model(tokens, depths)
    hook.remove()
    return seen[0][0].numpy()


def _alone(model, tokens, depths, t, d) -> int:
    """The prediction at position t when its token alone takes depth d."""
    changed = depths.clone()
    changed[0, t] = d
    return int(model(tokens, changed).logits[0, t].argmax())


@torch.no_grad()
def test_a_depth_given_to_some_positions_leaves_the_others_to_the_decider(javascript):
    model, task, _ = anira.load("brevo-online-tiny")
    instance = task.sample(7, np.random.default_rng(1))
    last = len(instance.prompt) - 1
    code = """({ loadModel }, { packed, prompt, last }) => {
      const model = loadModel(packed), { depths } = model.answer(prompt);
      const given = depths[last] > 1 ? 1 : 6;
      const changed = model.answer(prompt, { depths: new Map([[last, given]]) });
      return [depths, given, { answer: changed.answer, depths: changed.depths }];
    }"""
    own, given, changed = javascript("model", code, {"packed": pack("brevo-online-tiny", model, task), "prompt": list(instance.prompt), "last": last})
    assert changed["depths"][:last] == own[:last] and changed["depths"][last] == given != own[last]
    tokens = torch.tensor([[*instance.prompt, *changed["answer"][:-1]]])
    again = model(tokens, torch.tensor([changed["depths"]]))
    assert again.logits[0, last:].argmax(-1).tolist() == changed["answer"]
    assert depth_by_rule(again.exit_probs, "median")[0, :last].tolist() == changed["depths"][:last]


def test_answers_are_the_same_without_webassembly(javascript):
    model, task, _ = anira.load("brevo-online-tiny")
    rng = np.random.default_rng(2)
    data = {"packed": pack("brevo-online-tiny", model, task), "prompts": [list(task.sample(size, rng).prompt) for size in (3, 8, 16)]}
    code = """({ loadModel }, { packed, prompts }) => {
      const say = (model) => prompts.map((prompt) => { const { answer, depths, exitProbs } = model.answer(prompt); return [answer, depths, [...exitProbs]]; });
      const kept = globalThis.WebAssembly, fast = say(loadModel(packed));
      globalThis.WebAssembly = undefined;
      const slow = say(loadModel(packed));
      globalThis.WebAssembly = kept;
      return [fast, slow];
    }"""
    for (answer, depths, probs), (slow_answer, slow_depths, slow_probs) in zip(*javascript("model", code, data), strict=True):
        assert (answer, depths) == (slow_answer, slow_depths)
        assert np.allclose(probs, slow_probs, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    "call, said",
    [
        ("run([])", "1 to 256 tokens, received 0"),
        ("run([1, 99])", "0..36, received 99"),
        ("run([1, 2], { rule: 0 })", "received 0"),
        ("run([1, 2], { rule: 'latest' })", "received latest"),
        ("run([1, 2], { depths: 7 })", "1 to 6, received 7"),
        ("answer(Array(257).fill(1))", "1 to 256 tokens"),
        ("encode(['z'])", "Unknown token z"),
    ],
)
def test_wrong_input_is_refused_with_a_sentence(javascript, call, said):
    model, task, _ = anira.load("brevo-online-tiny")
    code = f"({{ loadModel }}, packed) => {{ try {{ loadModel(packed).{call}; }} catch (error) {{ return [error.name, error.message]; }} }}"
    name, message = javascript("model", code, pack("brevo-online-tiny", model, task))
    assert name == "RangeError" and said in message


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("size, budget", [(8, 30), (16, 100)])
def test_a_move_is_answered_within_its_time_in_pieces_that_block_no_frame(browser, size, budget, tmp_path, capsys):
    """In processor time, so that a busy machine fails nothing: each piece runs in a task of its own, and the browser's trace has what each task took."""
    model, task, _ = anira.load("brevo-online-tiny")
    rng = np.random.default_rng(1)
    page = browser.new_page()
    serve_modules(page)
    code = """async (packed) => {
      const { loadSteps } = await import("/model.mjs");
      const turn = () => new Promise((resolve) => { const { port1, port2 } = new MessageChannel(); port1.onmessage = resolve; port2.postMessage(0); });
      globalThis.finish = async (steps) => {
        performance.mark("move");
        for (;;) {
          await turn();
          const { done, value } = steps.next();
          if (done) return value;
        }
      };
      globalThis.model = await finish(loadSteps(JSON.parse(packed)));
    }"""
    browser.start_tracing(page=page, path=tmp_path / "trace.json", categories=["toplevel", "blink.user_timing"])
    page.evaluate(code, json.dumps(pack("brevo-online-tiny", model, task)))
    for i in range(50):
        answer = "async ([prompt, rule]) => { await finish(model.steps.answer(prompt, { rule })); }"
        page.evaluate(answer, [list(task.sample(size, rng).prompt), 0.3 + 0.01 * i])
    browser.stop_tracing()
    page.close()
    loading, *moves = tasks_of_moves(json.loads((tmp_path / "trace.json").read_text(encoding="utf-8"))["traceEvents"])
    times, longest = [sum(move) for move in moves], max(map(max, [loading, *moves]))
    with capsys.disabled():
        print(f"\n{size} nodes: median {np.median(times):.1f} ms of processor time, longest piece {longest:.1f} ms")
    assert len(times) == 50 and np.median(times) < budget
    assert longest < 50
