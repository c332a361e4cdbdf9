"""The explorer as a self-contained piece of HTML that plays the recording, without kernel or network."""

import json
from functools import cache
from pathlib import Path

from anira.explorer.recording import RECORDING

FOLDER = Path(__file__).parent
MODULE = (FOLDER / "explorer.mjs").read_text(encoding="utf-8")
STYLE = (FOLDER / "explorer.css").read_text(encoding="utf-8")


def player(nodes: int, graph: int, decider: str, threshold: float) -> str:
    """HTML of the recorded explorer, opening at the recorded scene nearest to the one asked for.

    A page may hold several: each script starts the players that it finds not yet started.
    """
    choice = _script_safe(json.dumps({"nodes": nodes, "graph": graph, "decider": decider, "threshold": threshold}))
    return (
        f"<style>{STYLE}</style>"
        f'<div data-anira-player><script type="application/json">{choice}</script>'
        f'<script type="application/json">{_recording()}</script></div>'
        f'<script type="module">{MODULE}\nstartPlayers();</script>'
    )


@cache
def _recording() -> str:
    return _script_safe(RECORDING.read_text(encoding="utf-8"))


def _script_safe(text: str) -> str:
    """JSON in which nothing can close, or comment out, the script element around it."""
    return text.replace("<", "\\u003c")
