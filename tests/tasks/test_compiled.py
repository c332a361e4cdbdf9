"""A cache on disk that outlives a change in the source would hand out code of before."""

import shutil
import subprocess
import sys

import pytest

from anira.tasks import compiled


def value(folder):
    code = "import small.outer; print(small.outer.outer(1))"
    return int(subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True).stdout)


@pytest.mark.parametrize(("decorator", "after"), [("from small.compiled import compiled", 3), ("from numba import njit\ncompiled = njit(cache=True)", 2)])
def test_compiled_code_follows_a_change_in_another_file_where_numbas_own_cache_does_not(tmp_path, decorator, after):
    package = tmp_path / "small"
    package.mkdir()
    (package / "__init__.py").touch()
    shutil.copy(compiled.__file__, package / "compiled.py")
    (package / "inner.py").write_text(f"{decorator}\n@compiled\ndef inner(x):\n    return x + 1\n")
    (package / "outer.py").write_text(f"{decorator}\nfrom small.inner import inner\n@compiled\ndef outer(x):\n    return inner(x)\n")
    assert value(tmp_path) == 2 == value(tmp_path)
    kept = list((package / "__pycache__").glob("outer.outer-*.nbc"))
    assert kept, "nothing was cached"
    (package / "inner.py").write_text(f"{decorator}\n@compiled\ndef inner(x):\n    return x + 2\n")
    assert value(tmp_path) == after


def test_all_compiled_code_of_the_tasks_is_decorated_by_it():
    for file in compiled.Path(compiled.__file__).parent.glob("*.py"):
        assert "njit" not in file.read_text() or file.name == "compiled.py", file.name
