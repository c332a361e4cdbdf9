"""Adaptive depth in recurrent Transformers, on tasks whose difficulty is known token by token."""

from importlib import import_module

__version__ = "0.1.0"

from anira.zoo import load as load


def __getattr__(name: str):
    """`anira.explore`, imported when first asked for: the rest of the library needs no notebook packages."""
    if name == "explore":
        from anira.explorer.widget import explore

        return explore
    if name == "results":
        return import_module("anira.results")
    raise AttributeError(f"module 'anira' has no attribute {name!r}")
