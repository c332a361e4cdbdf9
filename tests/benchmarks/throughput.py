"""Tokens a second of a training step, the first version's beside today's, in one run.

    python tests/benchmarks/throughput.py [--out FOLDER]

Each contender trains the tiny BREVO preset in a process of its own, one thread each; they take turns, a few steps
each time, so that what else the machine does hits all alike. Time is the process's own CPU time, which a busy
machine stretches less than the clock. The first version comes out of git. All have AdamW, but for the one whose
name says otherwise. Printed: medians over the turns, and the arithmetic of the unpadded tokens (products of
matrices, backward counted twice forward, the decider left out) as a share of the machine's peak, which is that of
a product of 1 024 × 1 024 matrices in float32, measured between the turns.

A second table has the milliseconds of today's step by part, by PyTorch's profiler. The products of matrices and
attention in it are the same arithmetic in any version; what is left is all that could be saved.
"""

import argparse
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch

FIRST_VERSION = "db981c9"
CONTENDERS = ["first version", "eager", "compiled", "compiled, muon", "compiled, bfloat16"]
PHASES = ["trunk", "deciding"]


def contend(contender: str, phase: str) -> None:
    """A contender's life: for each line of input, a number of steps, print the CPU seconds of one."""
    from dataclasses import replace

    from anira.training.loop import Run
    from anira.training.presets import preset

    torch.set_num_threads(1)
    recipe = preset("brevo", "tiny")
    if contender == "first version":
        run = Run.start(recipe, "online", 0, {})
    else:
        recipe = replace(recipe, optimizer="muon" if "muon" in contender else "adamw")
        run = Run.start(recipe, "online", 0, {}, compiled="compiled" in contender)
    run.model.train()
    with torch.autocast("cpu", torch.bfloat16, enabled="bfloat16" in contender):
        for line in sys.stdin:
            begun = time.process_time()
            for _ in range(int(line)):
                run.step = run.step % 1000 + (recipe.trunk_steps if phase == "deciding" else 0)
                run.advance()
            print((time.process_time() - begun) / int(line), flush=True)


def start(contender: str, phase: str, first: Path) -> subprocess.Popen:
    """A contender's process, of the first version or of this one."""
    here = Path(__file__).resolve()
    root = first if contender == "first version" else here.parents[2]
    command = [
        sys.executable,
        "-c",
        f"import sys; sys.path[:0] = [{str(root)!r}, {str(here.parent)!r}]; import throughput; throughput.contend({contender!r}, {phase!r})",
    ]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def ask(process: subprocess.Popen, steps: int) -> float:
    """CPU seconds for a step, over that many."""
    process.stdin.write(f"{steps}\n")
    process.stdin.flush()
    return float(process.stdout.readline())


def peak() -> float:
    """Operations a second of a product of matrices, on one thread."""
    a, b = torch.randn(2, 1024, 1024)
    begun = time.process_time()
    for _ in range(4):
        a @ b
    return 4 * 2 * 1024**3 / (time.process_time() - begun)


def processor() -> str:
    """The processor's name, where the system says it."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def work() -> tuple[float, float]:
    """Tokens of a batch, and operations of a step on them."""
    from anira.model.flops import token_cost
    from anira.training.presets import preset

    recipe, tokens, operations = preset("brevo", "tiny"), [], []
    for step in range(20):
        lengths = recipe.task.batch(recipe.batch_size, np.random.default_rng([0, step])).lengths - 1
        contexts = torch.cat([torch.arange(1, int(length) + 1) for length in lengths])
        cost = token_cost(recipe.config("fixed"), torch.full_like(contexts, recipe.model["max_depth"]), contexts)
        tokens.append(len(contexts))
        operations.append(3 * cost.summed().total)
    return float(np.mean(tokens)), float(np.mean(operations))


def measure(turns: int, steps: int) -> pd.DataFrame:
    """One row for each contender and phase."""
    torch.set_num_threads(1)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        archive = subprocess.run(["git", "archive", FIRST_VERSION, "anira"], check=True, capture_output=True, cwd=Path(__file__).parents[2]).stdout
        subprocess.run(["tar", "-x", "-C", folder], input=archive, check=True)
        tokens, operations = work()
        for phase in PHASES:
            processes = {contender: start(contender, phase, Path(folder)) for contender in CONTENDERS}
            for process in processes.values():
                ask(process, 12)  # compile, and meet most shapes
            seconds, peaks = {contender: [] for contender in CONTENDERS}, []
            for _ in range(turns):
                peaks.append(peak())
                for contender, process in processes.items():
                    seconds[contender].append(ask(process, steps))
            for process in processes.values():
                process.stdin.close()
                process.wait()
            first = np.array(seconds["first version"])
            for contender, values in seconds.items():
                step, ratios = float(np.median(values)), first / np.array(values)
                rows.append(
                    {
                        "phase": phase,
                        "contender": contender,
                        "seconds_per_step": step,
                        "fastest": min(values),
                        "tokens_per_second": tokens / step,
                        "speed_up": float(np.median(ratios)),
                        "speed_up_low": float(np.quantile(ratios, 0.1)),
                        "speed_up_high": float(np.quantile(ratios, 0.9)),
                        "peak_gflops": float(np.median(peaks)) / 1e9,
                        "share_of_peak": operations / step / float(np.median(peaks)),
                        "turns": turns,
                        "torch": torch.__version__,
                        "machine": processor(),
                    }
                )
    return pd.DataFrame(rows)


def by_parts(steps: int) -> pd.DataFrame:
    """Milliseconds of a step in each part, one row for each phase and part."""
    from anira.bench.profile import by_part
    from anira.training.loop import Run
    from anira.training.presets import preset

    torch.set_num_threads(1)
    recipe, rows = preset("brevo", "tiny"), []
    run = Run.start(recipe, "online", 0, {})
    run.model.train()
    for phase, first in zip(PHASES, (0, recipe.trunk_steps), strict=True):
        run.step = first
        rows += [(phase, part, time / steps) for part, time in by_part(run.advance, steps, torch.device("cpu")).items()]
    return pd.DataFrame(rows, columns=["phase", "part", "milliseconds"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=15)
    parser.add_argument("--steps", type=int, default=4, help="in one turn (default: %(default)s)")
    parser.add_argument("--out", type=Path, help="write throughput.csv and throughput-profile.csv into this folder, too")
    arguments = parser.parse_args()
    tables = {"throughput": measure(arguments.turns, arguments.steps), "throughput-profile": by_parts(20)}
    for name, table in tables.items():
        print(table.drop(columns=["torch", "machine"], errors="ignore").round(4).to_string(index=False), end="\n\n")
        if arguments.out:
            table.to_csv(arguments.out / f"{name}.csv", index=False, float_format="%.5g")
