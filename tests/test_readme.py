"""The README's example is what a reader types first: it runs as printed."""

import re
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"


def test_the_example_prints_each_token_with_its_depth(capsys):
    example = re.search(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)[1]
    assert len([line for line in example.splitlines() if line]) <= 10
    names = {}
    exec(compile(example, str(README), "exec"), names)
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == len(names["instance"].tokens)
    assert [line.count("█") for line in printed] == names["depths"].tolist()
    assert all(line.split()[0] == token for line, token in zip(printed, names["task"].vocabulary.decode(names["instance"].tokens), strict=True))
