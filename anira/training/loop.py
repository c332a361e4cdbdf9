"""The training loop: from a preset, a decider and a seed to a model file and a table of metrics.

Every random number of step s comes from the seed and s alone, so a run that is killed and resumed arrives
at the same weights, bit for bit, as one that was not. Batches hold training problems only, see `anira.tasks.split`. They
are cut into buckets of similar length whose gradients are summed (on a GPU by itself there is one); several processes
(torchrun) share the buckets of one batch. Nothing in a step waits for the device: what it measures stays there until it is asked for.
"""

import json
import math
import operator
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from tqdm.auto import tqdm

from anira.evaluation.evaluate import evaluate
from anira.model.anira import Anira
from anira.model.deciders import UNTIED, Sample
from anira.tasks import from_json
from anira.tasks.task import Batch
from anira.training.checkpoint import CheckpointError, read, read_header, write, write_atomically
from anira.training.data import Batches
from anira.training.loss import cross_entropy_sum, divergence_sum
from anira.training.optimizers import build, moments
from anira.training.presets import AFTER_THE_TRUNK, Preset
from anira.training.processes import add_up, any_of, parts, rank, share

EVALUATION_SEED = 2**31  # far from any training seed


class Diverged(ValueError):
    """A loss or a gradient is no finite number any more."""


@dataclass
class Run:
    """A training run under way: what `train` advances and what a state file holds.

    header: task, preset, decider, seed and variation, by which tables and folders call the run.
    measured: what each step since the last record of `metrics` measured, as `advance` returned it.
    """

    preset: Preset
    model: Anira
    optimizers: list[torch.optim.Optimizer]
    header: dict[str, Any]
    step: int = 0
    seconds: float = 0.0
    metrics: list[dict[str, Any]] = field(default_factory=list)
    measured: list[dict[str, Tensor]] = field(default_factory=list)

    @classmethod
    def start(cls, preset: Preset, decider: str, seed: int, header: Mapping[str, Any] | None = None, device: str = "cpu", *, compiled: bool = False) -> "Run":
        """A fresh run: weights drawn from `seed`.

        Args:
            decider: name of a decider, or "untied".
            header: what the run is called by, "preset" and "variation"; by default "own" and "none".
            compiled: have the layers compiled by `torch.compile`. Steps take about a quarter less time, after a minute
                or so to begin with, and round differently: a run resumes to the same bits if it is compiled throughout.

        Raises:
            ValueError: what would fail later: a task that cannot be written into a model file, or is not known by the
                name that would stand there, or whose longest instance the model does not take.
        """
        check_recipe(preset, decider)
        model = Anira(preset.config(decider)).initialize(torch.Generator().manual_seed(seed)).to(device)
        model.decider.deepen(preset.deep_start)
        if compiled:
            for module in (model.prelude, model.core, *model.untied, model.coda, *model.decider.children()):
                module.compile(dynamic=True)
        optimizers = build(model, preset.optimizer, preset.learning_rate, preset.weight_decay)
        called = {"task": preset.task.name, "preset": "own", "variation": "none", **(header or {}), "decider": decider, "seed": seed}
        return cls(preset, model, optimizers, called)

    def file_header(self, kind: str, metrics: list[dict[str, Any]]) -> dict[str, Any]:
        """What a state or a model file says of this run, see `anira.training.checkpoint`."""
        recipe = self.preset.recipe(self.header["decider"])
        return {"kind": kind, "run": self.header, "recipe": recipe, "step": self.step, "seconds": self.seconds, "metrics": metrics}

    def save(self, path: Path) -> None:
        """Write everything needed to resume, atomically."""
        tensors = {f"model.{name}": tensor for name, tensor in self.model.state_dict().items()}
        for name, parameter in self.model.named_parameters():
            for key, value in moments(self.optimizers, parameter).items():
                tensors[f"optimizer.{name}.{key}"] = value
        measured = {name: self.measures(name).tolist() for name in (self.measured[0] if self.measured else ())}
        write(path, tensors, {**self.file_header("state", self.metrics), "measured": measured})

    def save_model(self, path: Path) -> None:
        """Write the weights and what it takes to use them, atomically."""
        write(path, self.model.state_dict(), self.file_header("model", [row for row in self.metrics if row["step"] == self.step]))

    def check(self, header: Mapping[str, Any], path: Path, *, trunk_only: bool = False) -> None:
        """`CheckpointError` that names the fields in which the state with this header is of another run, or has another trunk."""
        if header.get("kind") != "state":
            raise CheckpointError(f"{path} holds no state of a run, but a {header.get('kind')}.")
        ours = self.file_header("state", [])
        theirs, ours = (flat({**described["recipe"], "run": described["run"]}) for described in (header, ours))
        ignored: set[str] = set()
        if trunk_only:
            ignored = {"run.decider", "run.preset", "run.variation", "model.decider", "model.decider_hidden", *AFTER_THE_TRUNK}
            if self.preset.decider_rate is None:  # the rate may fall in the trunk phase already
                ignored -= {"steps", "decay_steps", "decider_rate"}
            if UNTIED in (self.header["decider"], header["run"]["decider"]):
                raise CheckpointError(f"{path} cannot be taken over: untied layers are no trunk that recurrent models share. Train this run from its start.")
        missing = "nothing"
        names = [name for name in ours.keys() | theirs.keys() if name not in ignored and theirs.get(name, missing) != ours.get(name, missing)]
        if names:
            differences = "; ".join(f"{name} is {theirs.get(name, missing)} there and {ours.get(name, missing)} here" for name in sorted(names))
            raise CheckpointError(f"{path} belongs to another run: {differences}. Choose another folder (--out), or the recipe of that run.")
        if trunk_only and header["step"] > self.preset.trunk_steps:
            raise CheckpointError(f"{path} has passed the trunk phase: it is at step {header['step']}, the phase ends at {self.preset.trunk_steps}.")

    def restore(self, path: Path, *, trunk_only: bool = False) -> None:
        """Continue from a state file of the same run, or take over the trunk of one with another decider.

        In the trunk phase the decider is idle, so the trunk is the same whatever the decider, and whatever is to
        follow: taking it over leads to the same weights as training it again.

        Raises:
            CheckpointError: the file is damaged, or of another run; the message names the fields that differ. Nothing
                has been changed then.
        """
        self.check(read_header(path)[0], path, trunk_only=trunk_only)
        tensors, header = read(path)
        for name, parameter in self.model.named_parameters():
            if trunk_only and name.startswith("decider."):
                continue
            parameter.data.copy_(tensors[f"model.{name}"])
            prefix = f"optimizer.{name}."
            state = {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
            moments(self.optimizers, parameter).update({key: value.to(parameter.device) for key, value in state.items()})
        self.step, self.seconds, self.metrics = header["step"], header["seconds"], header["metrics"]
        measured = header["measured"]
        self.measured = [{name: torch.tensor(values[i]) for name, values in measured.items()} for i in range(len(next(iter(measured.values()), ())))]

    def measures(self, name: str) -> Tensor:
        """What the steps since the last record measured, those before a resumption too: (steps,), on the CPU."""
        device = self.model.unembedding.weight.device
        return torch.stack([step[name].to(device) for step in self.measured]).cpu()

    def batches(self, workers: int = 0) -> Batches:
        """The batches of the steps to come."""
        return Batches(self.preset.task, self.preset.batch_size, self.header["seed"], self.step, workers)

    def advance(self, batch: Batch | None = None) -> dict[str, Tensor]:
        """One optimizer step on the next of `batches`, made here if it is not given.

        Returns the batch's cross-entropy and divergence in nats, its token count, and the norm of the gradient before it was
        clipped, each of no dimension. There is no divergence while the decider is idle: NaN.
        """
        preset, step, device = self.preset, self.step, self.model.unembedding.weight.device
        if batch is None:
            batch = next(self.batches())
        answers, inputs = batch.answer_mask[:, 1:].sum(), (batch.lengths - 1).sum()
        sums = torch.zeros(2, device=device)
        for index, bucket in enumerate(batch.buckets(parts(preset.buckets, device))):
            if share(index) == rank():
                sums += self._backward(bucket, index, int(answers), int(inputs))
        add_up([parameter for name, parameter in self.model.named_parameters() if not (self.idle and name.startswith("decider."))], sums)
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), preset.max_gradient_norm)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = preset.learning_rate_at(step)
            optimizer.step()
        self.model.zero_grad()
        divergence = torch.full_like(sums[1], torch.nan) if self.idle else sums[1]
        self.step += 1
        self.measured.append({"cross_entropy": sums[0], "divergence": divergence, "tokens": inputs, "gradient_norm": norm.float()})
        return self.measured[-1]

    def _backward(self, bucket: Batch, index: int, answers: int, inputs: int) -> Tensor:
        """Add the gradient of one bucket's share of the loss; returns its (cross-entropy, divergence)."""
        preset, device = self.preset, self.model.unembedding.weight.device
        bucket = bucket.to(device)
        tokens, targets, answer_mask = bucket.tokens[:, :-1], bucket.tokens[:, 1:], bucket.answer_mask[:, 1:]
        if self.idle:
            cross_entropy = cross_entropy_sum(self.model.trunk(tokens), targets, answer_mask) / answers
            cross_entropy.backward()
            return torch.stack([cross_entropy.detach(), torch.zeros_like(cross_entropy)]).float()
        noise_seed = np.random.SeedSequence([self.header["seed"], self.step, index]).generate_state(1)[0]
        generator = torch.Generator(device).manual_seed(int(noise_seed))
        output = self.model(tokens, select=Sample(generator, preset.temperature))
        cross_entropy = cross_entropy_sum(output.logits, targets, answer_mask) / answers
        divergence = divergence_sum(output, bucket.token_mask[:, 1:], preset.prior_base) / inputs
        (cross_entropy + preset.penalty_at(self.step) * divergence).backward()
        return torch.stack([cross_entropy.detach(), divergence.detach()]).float()

    @property
    def idle(self) -> bool:
        """Whether the decider has no say in this step: in the trunk phase, and where there is nothing to decide."""
        return self.step < self.preset.trunk_steps or not self.model.decider.decides

    def check_finite(self) -> None:
        """`Diverged` that names the first step since the last record in which something was no finite number, and what."""
        if not self.measured:
            return
        first, wrong = self.step - len(self.measured), []
        decides_from = self.preset.trunk_steps if self.model.decider.decides else self.step
        for name, begins in (("cross_entropy", first), ("gradient_norm", first), ("divergence", decides_from)):
            values = self.measures(name)
            wrong += [(step, name, value) for step, value in enumerate(values.tolist(), first) if step >= begins and not math.isfinite(value)]
        if wrong:
            step, name, value = min(wrong, key=operator.itemgetter(0))
            raise Diverged(
                f"The {name.replace('_', ' ')} of step {step} is {value}: the run has diverged. "
                "The last good state is kept. A lower learning rate, or a longer warm-up, may help; that is another run."
            )

    def record(self) -> dict[str, float]:
        """Append one row per size to the metrics, exact match and depths on held-out problems, and begin to measure anew.

        Returns the means over the steps since the last record.
        """
        recorded = ("cross_entropy", "divergence", "tokens")
        means = {name: round(self.measures(name).double().nanmean().item(), 5) for name in recorded}
        self.model.eval()
        depths = self.model.config.max_depth if self.idle else None
        table = evaluate(self.model, self.preset.task, n=self.preset.evaluation_size, seed=EVALUATION_SEED, depths=depths)
        self.model.train()
        self.metrics += [{"step": self.step, "seconds": round(self.seconds, 1), **means, **row} for row in table.to_dict("records")]
        self.measured = []
        return means

    def table(self) -> pd.DataFrame:
        """The metrics, a row for each size at each recorded step, with columns that say which run they are of."""
        called = self.header
        identity = {
            "task": called["task"],
            "decider": called["decider"],
            "preset": called["preset"],
            "run_seed": called["seed"],
            "variation": called["variation"],
        }
        return pd.DataFrame([{**identity, **row} for row in self.metrics])


def check_recipe(preset: Preset, decider: str) -> None:
    """`ValueError` for what would fail only in the course of a run, see `Run.start`."""
    task = preset.task
    try:
        back = from_json(json.loads(json.dumps(preset.recipe(decider), allow_nan=False))["task"])
        if back != task:
            raise ValueError(f"read again it is {back}")
    except (TypeError, ValueError) as error:
        raise ValueError(f"The task {type(task).__name__} cannot be written into a model file: {error}") from error
    longest, limit = max(task.max_length(size) for size in task.sizes), preset.config(decider).max_length
    if longest > limit:
        raise ValueError(f"An instance of {task.name} may have {longest} tokens, the model takes {limit}. Give the recipe's model a larger max_length.")


def flat(described: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested tables as one, {"model": {"width": 96}} as {"model.width": 96}, with lists where there were tuples."""
    result: dict[str, Any] = {}
    for name, value in described.items():
        if isinstance(value, Mapping):
            result |= flat(value, f"{prefix}{name}.")
        else:
            result[prefix + name] = list(value) if isinstance(value, tuple) else value
    return result


def train(run: Run, folder: Path, *, until: int | None = None, save_every_seconds: float = 60.0, workers: int = 0) -> Run:
    """Advance a run to its end (or to step `until`), keeping `folder` up to date.

    The folder gets `state.safetensors` (to resume from) and `metrics.csv`, and at the end `model.safetensors`.
    `workers` processes make batches ahead. The data, and with it the result, are the same for any number of them.

    Ctrl-C ends the step under way, saves the state, and raises `KeyboardInterrupt` with a sentence that says so.

    Raises:
        ValueError: `until` lies before the run's step or beyond its end.
        CheckpointError: the folder holds another run, or a later state of this one, or a file could not be written, because
            the disk is full or the folder is closed to us; the last state that was written stays as it is.
        Diverged: a loss or a gradient is no finite number; the last good state stays as it is.
    """
    folder, last = Path(folder), last_step(run, until)
    state, begun, saved, before = folder / "state.safetensors", time.monotonic(), time.monotonic(), run.seconds
    if state.exists():
        header = read_header(state)[0]
        run.check(header, state)
        if header["step"] > run.step:
            raise CheckpointError(f"{state} holds this run at step {header['step']}, past {run.step}. Restore it first, or choose another folder.")
    elif rank() == 0:
        run.save(state)  # now rather than at the first checkpoint, it should come out whether that can be
    run.model.train()
    device = run.model.unembedding.weight.device
    seldom = 1.0 if sys.stderr.isatty() or "ipykernel" in sys.modules else 30.0  # seconds; a log file is not a screen
    bar = tqdm(total=last, initial=run.step, unit="step", desc=folder.name, disable=rank() > 0, mininterval=seldom)
    stopped = False
    with postponed_interrupt() as pressed, bar, run.batches(workers) as batches:
        while run.step < last and not stopped:
            run.advance(next(batches))
            run.seconds = before + time.monotonic() - begun
            bar.update()
            stopped = any_of(bool(pressed), device)
            if run.step % run.preset.evaluate_every == 0 or run.step == last:
                run.check_finite()
                means = run.record()
                exact = " ".join(f"{row['size']}: {row['exact_match']:.2f}" for row in run.metrics[-len(run.preset.task.sizes) :])
                bar.set_postfix_str(f"loss {means['cross_entropy']:.3f} nats, exact match by size {exact}")
                if rank() == 0:
                    write_atomically(folder / "metrics.csv", run.table().to_csv(index=False).encode())
            if run.step == last or stopped or time.monotonic() - saved > save_every_seconds:
                run.check_finite()
                if rank() == 0:
                    run.save(state)
                saved = time.monotonic()
    if run.step < last:
        raise KeyboardInterrupt(f"Stopped at step {run.step}. The same command goes on from there.")
    if rank() == 0 and run.step == run.preset.steps:
        run.save_model(folder / "model.safetensors")
    return run


def last_step(run: Run, until: int | None) -> int:
    """The step at which to stop, `ValueError` for one that the run has passed or does not have."""
    last = run.preset.steps if until is None else operator.index(until)
    if not max(run.step, 1) <= last <= run.preset.steps:
        raise ValueError(f"A run of {run.preset.steps} steps that is at step {run.step} cannot be trained until step {last}.")
    return last


@contextmanager
def postponed_interrupt() -> Iterator[list[int]]:
    """Note Ctrl-C in the list that is yielded, instead of breaking off; the second one breaks off as usual."""
    pressed: list[int] = []
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or before in (None, signal.SIG_IGN):
        yield pressed
        return

    def note(number: int, frame: Any) -> None:
        if pressed:
            raise KeyboardInterrupt
        pressed.append(number)

    signal.signal(signal.SIGINT, note)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, before)
