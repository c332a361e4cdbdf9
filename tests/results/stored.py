"""Tables of a folder of one's own, for tests: what a test does not care about is filled in as declared."""

from pathlib import Path

import pandas as pd

from anira.results import declared

PLAIN = {"text": "none", "int": 1, "float": 1.0, "bool": True}


def store(folder: Path, kind: str, name: str, table: pd.DataFrame) -> Path:
    """Write a table as `anira tables` would; columns that it lacks get one value throughout."""
    declaration = declared(kind, name)
    task = name.split("-")[0]
    columns = {column: PLAIN[kind_of] for column, kind_of in declaration.columns.items()} | {"task": task}
    columns |= dict.fromkeys(declaration.features.get(task, []), 1.0)
    path = folder / kind / f"{name}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    table.assign(**{column: value for column, value in columns.items() if column not in table}).to_csv(path, index=False)
    return path
