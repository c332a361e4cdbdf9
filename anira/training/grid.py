"""Grids of runs: one file that says which, one command that makes them, Ray to spread them over processors.

The file is TOML. Each [[grid]] table stands for all combinations of what it lists:

    [[grid]]
    task = "brevo"
    decider = ["early", "online", "fixed", "untied"]
    seed = [0, 1, 2]

    [[grid]]
    task = ["brevo", "mano"]
    penalty = [0.03, 0.1, 0.3]
    schedule = ["preset", "constant"]

Keys and their meaning are those of `anira.training.job.Job`; a recipe of your own is for the command line only, since a
file is not what decides which code runs. A run that is finished is not made again, one that was stopped goes on where
it was, one that fails does not keep the others from theirs. Which run waits for which processor, and on which machine, is Ray's business.
"""

import os
import tomllib
from collections.abc import Iterable
from dataclasses import fields
from itertools import product
from pathlib import Path

import torch
from tqdm.auto import tqdm

from anira.training.job import Job


def read_grid(path: Path) -> list[Job]:
    """The runs that a grid file stands for, each once; `ValueError` that says what is wrong with it.

    >>> path = getfixture("tmp_path") / "grid.toml"
    >>> _ = path.write_text('[[grid]]\\ntask = "brevo"\\ndecider = ["early", "online"]\\nseed = [0, 1]')
    >>> [job.name for job in read_grid(path)]
    ['brevo-early-tiny-0', 'brevo-early-tiny-1', 'brevo-online-tiny-0', 'brevo-online-tiny-1']
    """
    try:
        content = tomllib.loads(Path(path).read_text())
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path} is not TOML: {error}.") from error
    tables = content.get("grid")
    if set(content) != {"grid"} or not isinstance(tables, list) or not tables:
        raise ValueError(f"{path} must consist of [[grid]] tables, and have at least one.")
    known = [field.name for field in fields(Job)]
    jobs = []
    for number, table in enumerate(tables, start=1):
        if "task" not in table or not set(table) <= set(known):
            raise ValueError(f"Grid {number} of {path} must name a task, and may have {', '.join(known[1:])}; it has {', '.join(table) or 'nothing'}.")
        if ":" in str(table["task"]):
            raise ValueError(f"Grid {number} of {path} names code to be imported, {table['task']!r}. Give it to anira train instead.")
        choices = [value if isinstance(value, list) else [value] for value in table.values()]
        try:
            jobs += [Job(**dict(zip(table, values, strict=True))) for values in product(*choices)]
        except (TypeError, ValueError) as error:
            raise ValueError(f"Grid {number} of {path}: {error}") from error
    if not jobs:
        raise ValueError(f"{path} stands for no run: one of its lists is empty.")
    return list(dict.fromkeys(jobs))


def run_grid(jobs: Iterable[Job], out: Path, *, address: str = "local", cpus: float = 1, gpus: float = 0, compiled: bool = False) -> dict[str, str]:
    """Make every run in a folder of its own under `out`, as many at a time as there are processors for.

    Args:
        address: of a Ray cluster, whose machines must see `out` and have this library; by default a cluster of
            this machine alone is started, and ended.
        cpus, gpus: what one run occupies; with a share of a GPU it trains there.

    Returns:
        What went wrong, by the name of the run: empty if nothing did.
    """
    out, jobs = Path(out).resolve(), list(jobs)
    open_jobs = [job for job in jobs if not job.finished(out / job.name)]
    failures: dict[str, str] = {}
    if not open_jobs:
        return failures
    try:
        import ray
    except ImportError as error:
        raise ValueError('A grid needs Ray: pip install "anira[grid]".') from error
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # else Ray reports on its users
    os.environ.setdefault("RAY_raylet_start_wait_time_s", "300")  # seconds; a machine that is worth a grid may be busy
    ray.init(address=address, include_dashboard=False, log_to_driver=False) if address == "local" else ray.init(address, log_to_driver=False)
    try:
        work = ray.remote(num_cpus=cpus, num_gpus=gpus)(_work)
        pending = {work.remote(job, out / job.name, max(1, int(cpus)), "cuda" if gpus else "cpu", compiled): job for job in open_jobs}
        with tqdm(total=len(jobs), initial=len(jobs) - len(open_jobs), unit="run") as bar:
            while pending:
                (done,), _ = ray.wait(list(pending))
                job = pending.pop(done)
                try:
                    ray.get(done)
                except ray.exceptions.RayError as error:
                    failures[job.name] = str(getattr(error, "cause", None) or error)
                bar.update()
    finally:
        ray.shutdown()
    return failures


def _work(job: Job, folder: Path, threads: int, device: str, compiled: bool) -> None:
    torch.set_num_threads(threads)
    job.run(folder, device=device, compiled=compiled)
