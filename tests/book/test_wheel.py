"""Each notebook runs alone: in an empty folder, beside the built wheel and nothing else of the repository, as Colab has it.

A fresh environment sees the dependencies of this one and not its anira; the wheel is installed there. A stand-in for
`google.colab` is loaded before the first cell, whose line for pip finds anira installed and asks no network.
"""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import nbformat
import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]
CHAPTERS = sorted((ROOT / "book").glob("*.ipynb"))

#: What of Colab's module anywidget uses.
COLAB_OUTPUT = """
class _widgets:
    _installed_url = None

def enable_custom_widget_manager():
    _widgets._installed_url = "https://ssl.gstatic.com/colaboratory-static/widgets/manager.min.js"
"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def kernels(tmp_path_factory) -> Path:
    """The folder of a kernel's description, `alone`."""
    folder = tmp_path_factory.mktemp("alone")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, ROOT], check=True)
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "venv", symlinks=True)
    python = folder / "venv/bin/python"
    site = Path(
        subprocess.run([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], capture_output=True, text=True, check=True).stdout.strip()
    )
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")  # its own .pth files, an editable anira among them, are not followed
    subprocess.run([*pip, "--python", python, "install", "--no-deps", "--force-reinstall", wheel], check=True)
    colab = folder / "colab/google/colab"
    colab.mkdir(parents=True)
    (colab / "__init__.py").write_text("from google.colab import output\n")
    (colab / "output.py").write_text(COLAB_OUTPUT)
    (folder / "colab/sitecustomize.py").write_text("import google.colab\n")
    kernel = folder / "kernels/alone"
    kernel.mkdir(parents=True)
    alone = {"PYTHONPATH": str(folder / "colab"), "PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1", "OMP_NUM_THREADS": "1"}
    command = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (kernel / "kernel.json").write_text(json.dumps({"argv": command, "display_name": "alone", "language": "python", "env": alone}))
    place = subprocess.run([python, "-c", "import anira; print(anira.__file__)"], capture_output=True, text=True, check=True, cwd=folder).stdout
    assert str(site) in place, "the wheel, not the checkout"
    return folder / "kernels"


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_notebook_runs_with_the_wheel_and_nothing_else(kernels, tmp_path, path):
    shutil.copy(path, tmp_path)
    notebook = nbformat.read(tmp_path / path.name, 4)
    manager = AsyncKernelManager(kernel_name="alone", kernel_spec_manager=KernelSpecManager(kernel_dirs=[str(kernels)]))
    for cell in notebook.cells:  # the address is nowhere yet; anira is installed, and pip says so
        cell.source = cell.source.replace('"anira @ git+https://github.com/anira-book/anira"', "anira")
    NotebookClient(notebook, km=manager, timeout=600, resources={"metadata": {"path": str(tmp_path)}}).execute()
    printed = "".join(output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", []))
    assert "Warning" not in printed
    assert os.listdir(tmp_path) == [path.name], "nothing is left beside the notebook"
