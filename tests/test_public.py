"""`import anira` is light, and shows what a reader needs."""

import subprocess
import sys

import pytest

import anira
import anira.cli


def test_importing_the_library_and_asking_for_help_imports_nothing_heavy():
    code = "import sys, anira, anira.cli\ntry: anira.cli.main(['--help'])\nexcept SystemExit as end: print(end.code, *sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    status, *modules = done.stderr.split()
    assert status == "0" and not {"torch", "numpy", "pandas", "altair", "anywidget", "numba"} & set(modules)
    assert all(command in done.stdout for command in anira.cli.COMMANDS)


def test_training_needs_no_notebook_packages():
    code = "import sys, anira.cli\ntry: anira.cli.main(['train', '--help'])\nexcept SystemExit: print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"altair", "anywidget", "IPython", "ipywidgets"} & set(done.stderr.split())
    assert "minute" in done.stdout and "tiny" in done.stdout  # which presets there are


@pytest.mark.parametrize("name", anira.__all__)
def test_every_name_is_there_and_says_in_a_line_what_it_is(name):
    value = getattr(anira, name)
    assert callable(value) and len((value.__doc__ or "").strip().splitlines()[0]) > 10


def test_the_list_is_what_tab_shows():
    assert set(dir(anira)) == {*anira.__all__, "__version__"}
    with pytest.raises(AttributeError, match="no attribute 'explorr'"):
        _ = anira.explorr


def test_one_thread_lasts_from_the_call_or_to_the_end_of_a_block():
    import torch

    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        with anira.one_thread():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 3
        anira.one_thread()
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)
