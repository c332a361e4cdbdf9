"""What half precision changes: counted, since it cannot be exact.

In float64 and in float32 all executions give the same depths. In half precision a state is rounded to two or three
decimal digits, and a token whose decision was close may be given another depth; what it then says is another token's
state read differently. How often that happens is a property of a trained model, and a table.
"""

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from copy import deepcopy

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from anira.evaluation.reading import check_asked
from anira.model.anira import EXECUTIONS, Anira, Output
from anira.model.decoding import generate_batch
from anira.tasks.task import Batch, Split, Task

PRECISIONS = ("float32", "bfloat16", "float16", "autocast bfloat16", "autocast float16")


@torch.no_grad()
def half_precision(
    model: Anira,
    task: Task,
    n: int,
    seed: int,
    sizes: Iterable[int] | None = None,
    *,
    precisions: Sequence[str] = PRECISIONS,
    split: Split = "held_out",
) -> pd.DataFrame:
    """One row for each precision and execution, compared with the dense pass in float32 on the same instances.

    Args:
        n: instances of each size.
        sizes: by default the task's own.
        precisions: of `PRECISIONS`; a type alone is that of the weights, "autocast" leaves them in float32.

    Returns:
        The columns

        - precision; execution: "dense", "sparse", or "decoding", which writes the answers itself, greedily
        - tokens: compared; of decoding those up to the first token that was written differently
        - other_depth: share of them that are given another depth
        - other_token: share of them after which another token is the most probable
        - other_answer: share of instances whose answer is another, in any token
        - median_move, largest_move: of a logit, in absolute value

    Raises:
        ValueError: an unknown precision, a model whose decider has no sparse execution, or as `evaluate`.
    """
    unknown = [name for name in precisions if name not in PRECISIONS]
    if unknown:
        raise ValueError(f"Unknown precisions {unknown}. Known: {', '.join(PRECISIONS)}.")
    model.check_sparse()
    device = model.unembedding.weight.device
    batches = [task.batch(n, np.random.default_rng([seed, size]), size=size, split=split).to(device) for size in check_asked(model, task, n, sizes)]
    whole = deepcopy(model).float().eval()
    rows = []
    for execution in (*EXECUTIONS, "decoding"):
        exact = [_run(whole, batch, "decoding" if execution == "decoding" else "dense") for batch in batches]
        for precision in precisions:
            kind = getattr(torch, precision.split()[-1])
            automatic = precision.startswith("autocast")
            model_there = whole if automatic else deepcopy(whole).to(kind)
            with torch.autocast(device.type, dtype=kind) if automatic else nullcontext():
                found = [_run(model_there, batch, execution) for batch in batches]
            rows.append({"precision": precision, "execution": execution, **_compare(exact, found)})
    return pd.DataFrame(rows)


Said = list[tuple[Tensor, int, Output]]  # of each instance: its tokens, how many of them are the prompt's, and what was said to all but the last


def _run(model: Anira, batch: Batch, execution: str) -> Said:
    prompts = (batch.token_mask & ~batch.answer_mask).sum(1).tolist()
    if execution == "decoding":
        longest = int(batch.answer_mask.sum(1).max())
        written = generate_batch(model, [line[:prompt] for line, prompt in zip(batch.tokens, prompts, strict=True)], end_token=None, max_new_tokens=longest)
        return [(torch.cat([line[:prompt], one.tokens]), prompt, one.output) for line, prompt, one in zip(batch.tokens, prompts, written, strict=True)]
    output = model(batch.tokens[:, :-1], lengths=batch.lengths - 1, execution=execution)
    return [
        (batch.tokens[i, :length], prompts[i], Output(*(x[i : i + 1, : length - 1] for x in (output.logits, output.depths, output.exit_probs))))
        for i, length in enumerate(batch.lengths.tolist())
    ]


def _compare(exact: list[Said], found: list[Said]) -> dict[str, float]:
    depths, tokens, answers, moves = [], [], [], []
    for (one, prompt, expected), (other, _, output) in zip(sum(exact, []), sum(found, []), strict=True):
        same = int((one == other)[:-1].long().cumprod(0).sum())  # tokens read alike
        a, b = expected.logits[0, :same].float(), output.logits[0, :same].float()
        differ = a.argmax(-1) != b.argmax(-1)
        depths.append(expected.depths[0, :same] != output.depths[0, :same])
        tokens.append(differ)
        answers.append(differ[prompt - 1 :].any())
        moves.append((a - b).abs().flatten())
    moved = torch.cat(moves).cpu().numpy()
    shares = (float(x.float().mean()) for x in (torch.cat(depths), torch.cat(tokens), torch.stack(answers)))
    named = dict(zip(("other_depth", "other_token", "other_answer"), shares, strict=True))
    return {"tokens": sum(map(len, depths)), **named, "median_move": float(np.median(moved)), "largest_move": float(moved.max())}
