"""Shared by the model's tests."""

import pytest


@pytest.fixture(autouse=True)
def small(one_thread):
    """All of them are about small models."""
