"""The training loop: from a preset, a decider and a seed to a model file and a table of metrics.

Every random number of step s comes from the seed and s alone, so a run that is killed and resumed arrives
at the same weights, bit for bit, as one that was not. Batches are cut into buckets of similar length whose
gradients are summed; several processes (torchrun) share the buckets of one batch. Nothing in a step waits for the
device: what it measures stays there until it is asked for.
"""

import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import torch.distributed as dist
from torch import Tensor
from tqdm.auto import tqdm

from anira.evaluation.evaluate import evaluate
from anira.model.anira import Anira
from anira.model.deciders import UNTIED, Sample
from anira.tasks import to_json
from anira.tasks.task import Batch
from anira.training.checkpoint import CheckpointError, read, save_model, write, write_atomically
from anira.training.data import Batches
from anira.training.loss import cross_entropy_sum, divergence_sum
from anira.training.optimizers import build, moments
from anira.training.presets import Preset

EVALUATION_SEED = 2**31  # far from any training seed


@dataclass
class Run:
    """A training run under way: what `train` advances and what a state file holds."""

    preset: Preset
    model: Anira
    optimizers: list[torch.optim.Optimizer]
    header: dict  # task, preset, decider, seed: what identifies the run
    step: int
    seconds: float
    metrics: list[dict]

    @classmethod
    def start(cls, preset: Preset, decider: str, seed: int, header: dict, device: str = "cpu", *, compiled: bool = False) -> "Run":
        """A fresh run: weights drawn from `seed`.

        compiled: have the layers compiled by `torch.compile`. Steps take about a quarter less time, after a minute
        or so to begin with, and round differently: a run resumes to the same bits if it is compiled throughout.
        """
        model = Anira(preset.config(decider)).initialize(torch.Generator().manual_seed(seed)).to(device)
        model.decider.deepen(preset.deep_start)
        if compiled:
            for module in (model.prelude, model.core, *model.untied, model.coda, *model.decider.children()):
                module.compile(dynamic=True)
        optimizers = build(model, preset.optimizer, preset.learning_rate, preset.weight_decay)
        return cls(preset, model, optimizers, {**header, "decider": decider, "seed": seed}, 0, 0.0, [])

    def save(self, path: Path) -> None:
        """Write everything needed to resume, atomically."""
        tensors = {f"model.{name}": tensor for name, tensor in self.model.state_dict().items()}
        for name, parameter in self.model.named_parameters():
            for key, value in moments(self.optimizers, parameter).items():
                tensors[f"optimizer.{name}.{key}"] = value
        write(path, tensors, {"kind": "state", "run": self.header, "step": self.step, "seconds": self.seconds, "metrics": self.metrics})

    def restore(self, path: Path, *, trunk_only: bool = False) -> None:
        """Continue from a state file of the same run, or take over the trunk of one with another decider.

        In the trunk phase the decider is idle, so the trunk is the same whatever the decider: taking it
        over leads to the same weights as training it again.
        """
        tensors, header = read(path)
        ignored = {"decider"} if trunk_only else set()
        theirs, ours = ({k: v for k, v in run.items() if k not in ignored} for run in (header.get("run", {}), self.header))
        if header.get("kind") != "state" or theirs != ours:
            raise CheckpointError(f"{path} belongs to another run: {theirs}, expected {ours}. Choose another --out folder or the matching options.")
        if trunk_only and UNTIED in (self.header["decider"], header["run"]["decider"]):
            raise CheckpointError(f"{path} cannot be taken over: untied layers are no trunk that recurrent models share. Train this run from its start.")
        if trunk_only and header["step"] > self.preset.trunk_steps:
            raise CheckpointError(f"{path} has passed the trunk phase: it is at step {header['step']}, the phase ends at {self.preset.trunk_steps}.")
        for name, parameter in self.model.named_parameters():
            if trunk_only and name.startswith("decider."):
                continue
            parameter.data.copy_(tensors[f"model.{name}"])
            prefix = f"optimizer.{name}."
            state = {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
            moments(self.optimizers, parameter).update({key: value if key == "step" else value.to(parameter.device) for key, value in state.items()})
        self.step, self.seconds, self.metrics = header["step"], header["seconds"], header["metrics"]

    def batches(self, workers: int = 0) -> Batches:
        """The batches of the steps to come."""
        return Batches(self.preset.task, self.preset.batch_size, self.header["seed"], self.step, workers)

    def advance(self, batch: Batch | None = None) -> dict[str, Tensor]:
        """One optimizer step on the next of `batches`, made here if it is not given.

        Returns the batch's cross-entropy and divergence in nats, each of no dimension, and its token count. There
        is no divergence while the decider is idle: NaN.
        """
        preset, step = self.preset, self.step
        if batch is None:
            batch = next(self.batches())
        answers, inputs = batch.answer_mask[:, 1:].sum(), (batch.lengths - 1).sum()
        sums = torch.zeros(2, dtype=torch.float64, device=self.model.unembedding.weight.device)
        for index, bucket in enumerate(batch.buckets(preset.buckets)):
            if share(index) == rank():
                sums += self._backward(bucket, index, int(answers), int(inputs))
        self._sum_over_processes(sums)
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), preset.max_gradient_norm)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = preset.learning_rate_at(step)
            optimizer.step()
        self.model.zero_grad()
        self.step += 1
        return {"cross_entropy": sums[0], "divergence": sums[1], "tokens": inputs}

    def _backward(self, bucket: Batch, index: int, answers: int, inputs: int) -> Tensor:
        """Add the gradient of one bucket's share of the loss; returns its (cross-entropy, divergence)."""
        preset, device = self.preset, self.model.unembedding.weight.device
        bucket = bucket.to(device)
        tokens, targets, answer_mask = bucket.tokens[:, :-1], bucket.tokens[:, 1:], bucket.answer_mask[:, 1:]
        if self.idle:
            cross_entropy = cross_entropy_sum(self.model.trunk(tokens), targets, answer_mask) / answers
            cross_entropy.backward()
            return torch.stack([cross_entropy.detach(), torch.full_like(cross_entropy, torch.nan)]).double()
        noise_seed = np.random.SeedSequence([self.header["seed"], self.step, index]).generate_state(1)[0]
        generator = torch.Generator(device).manual_seed(int(noise_seed))
        output = self.model(tokens, select=Sample(generator, preset.temperature))
        cross_entropy = cross_entropy_sum(output.logits, targets, answer_mask) / answers
        divergence = divergence_sum(output, bucket.token_mask[:, 1:], preset.prior_base) / inputs
        (cross_entropy + preset.penalty_at(self.step) * divergence).backward()
        return torch.stack([cross_entropy.detach(), divergence.detach()]).double()

    @property
    def idle(self) -> bool:
        """Whether the decider has no say in this step: in the trunk phase, and where there is nothing to decide."""
        return self.step < self.preset.trunk_steps or not self.model.decider.decides

    def _sum_over_processes(self, sums: Tensor) -> None:
        """Add up gradients and sums over processes.

        Not `DistributedDataParallel`: it averages where shares of one loss must be summed, counts on each parameter
        having a gradient in each pass, which an idle decider has not, and hides communication behind backward
        passes that are many and short here.
        """
        if not dist.is_initialized():
            return
        gradients = [parameter.grad for parameter in self.model.parameters() if parameter.grad is not None]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        dist.all_reduce(flat)
        for gradient, summed in zip(gradients, flat.split([gradient.numel() for gradient in gradients]), strict=True):
            gradient.copy_(summed.view_as(gradient))
        dist.all_reduce(sums)

    def evaluate(self, means: dict[str, float]) -> None:
        """Append one row per size to the metrics: exact match and depths on held-out instances."""
        self.model.eval()
        depths = self.model.config.max_depth if self.idle else None
        table = evaluate(self.model, self.preset.task, n=self.preset.evaluation_size, seed=EVALUATION_SEED, depths=depths)
        self.model.train()
        self.metrics += [{"step": self.step, "seconds": round(self.seconds, 1), **means, **row} for row in table.to_dict("records")]


def rank() -> int:
    """This process's number among those that train together."""
    return dist.get_rank() if dist.is_initialized() else 0


def share(bucket: int) -> int:
    """The process that computes a bucket. Dealt back and forth, since later buckets are longer."""
    world = dist.get_world_size() if dist.is_initialized() else 1
    turn, place = divmod(bucket, world)
    return place if turn % 2 == 0 else world - 1 - place


def train(run: Run, folder: Path, *, until: int | None = None, save_every_seconds: float = 60.0, workers: int = 0) -> Run:
    """Advance a run to its end (or to step `until`), keeping `folder` up to date.

    The folder gets `state.safetensors` (to resume from) and `metrics.csv`, and at the end `model.safetensors`.
    `workers` processes make batches ahead. The data, and with it the result, are the same for any number of them.

    Raises:
        CheckpointError: a file could not be written, because the disk is full or the folder is closed to us; the
            last state that was written stays as it is.
    """
    folder, until = Path(folder), until or run.preset.steps
    state, begun, saved, before = folder / "state.safetensors", time.monotonic(), time.monotonic(), run.seconds
    if rank() == 0 and not state.exists():
        run.save(state)  # now rather than at the first checkpoint, it should come out whether that can be
    means: list[dict] = []
    run.model.train()
    bar = tqdm(total=until, initial=run.step, unit="step", desc=folder.name, disable=rank() > 0, mininterval=1.0)
    with bar, run.batches(workers) as batches:
        while run.step < until:
            means.append(run.advance(next(batches)))
            run.seconds = before + time.monotonic() - begun
            bar.update()
            if run.step % run.preset.evaluate_every == 0 or run.step == until:
                averages = {name: round(torch.stack([mean[name] for mean in means]).double().nanmean().item(), 5) for name in means[0]}
                run.evaluate(averages)
                bar.set_postfix(
                    loss=f"{averages['cross_entropy']:.3f}", exact=" ".join(f"{row['exact_match']:.2f}" for row in run.metrics[-len(run.preset.task.sizes) :])
                )
                means = []
                if rank() == 0:
                    write_atomically(folder / "metrics.csv", pd.DataFrame(run.metrics).to_csv(index=False).encode())
            due = not means and time.monotonic() - saved > save_every_seconds  # means start afresh: none is lost
            if rank() == 0 and (due or run.step == until):
                run.save(state)
                saved = time.monotonic()
    if rank() == 0 and run.step == run.preset.steps:
        final = [row for row in run.metrics if row["step"] == run.step]
        header = {
            "kind": "model",
            "run": run.header,
            "task": to_json(run.preset.task),
            "step": run.step,
            "seconds": run.seconds,
            "metrics": final,
            "version": version("anira"),
        }
        save_model(folder / "model.safetensors", run.model, header)
    return run
