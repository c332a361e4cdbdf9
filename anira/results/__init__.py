"""The stored tables, and the one function that reads them.

    import anira
    anira.results("traces", "brevo-tiny")      # a frame
    anira.results("training", "brevo-*")       # several tables of a kind, one below the other
    anira.results.tables()                     # which there are, and how each is made

`tables.toml`, next to the tables, declares their columns; a table that does not keep to it is refused. Identity stands
in columns (task, decider, preset, run_seed, variation), never in the order of rows or in the name of a file. `anira tables`
makes the tables, here or in a folder of your own, which then stands in: `anira.results("traces", "brevo-tiny", folder="runs/tables")`.

The module is the function: calling it calls `read`.
"""

import sys
import tomllib
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from types import ModuleType

import pandas as pd

FOLDER = Path(__file__).parent
ENDINGS = (".csv", ".csv.xz", ".jsonl")
TYPES = {"text": "str", "int": "int64", "float": "float64", "bool": "bool", "list": "object"}


class UnknownTable(ValueError):
    """There is no such table; the message lists those that there are."""


@dataclass(frozen=True)
class Declared:
    """What `tables.toml` says of a table.

    row: what a row is.
    made: "models" and "curves" for what `anira tables` makes, else how it was made, in words.
    command: of a table made from models, the command line without `anira` and the models.
    deciders: of the models that it is made from; empty for all.
    columns: name → type, those of identity first.
    optional: the columns that may be undefined.
    key: the columns that tell rows apart.
    features: the names of features by task; a table of another task may have any.
    """

    row: str
    made: str
    columns: dict[str, str]
    key: tuple[str, ...]
    optional: frozenset[str]
    command: str = ""
    deciders: tuple[str, ...] = ()
    features: dict[str, list[str]] = field(default_factory=dict)


@cache
def _content() -> dict:
    return tomllib.loads((FOLDER / "tables.toml").read_text(encoding="utf-8"))


def _kinds() -> dict[str, dict]:
    return {kind: entry for kind, entry in _content().items() if kind not in ("models", "curves", "features")}


def declared(kind: str, name: str) -> Declared:
    """What is declared of a table; of a name that is not declared, what all tables of its kind have in common."""
    if kind not in _kinds():
        raise UnknownTable(f"There are no tables of the kind {kind!r}. Kinds: {', '.join(_kinds())}.")
    entry = _kinds()[kind]
    command = entry.get("tables", {}).get(name, "")
    if "columns" not in entry:
        if name not in entry:
            raise UnknownTable(f"There is no table {name!r} of the kind {kind!r}. There are: {', '.join(entry)}.")
        entry = entry[name]
    made = entry["made"]
    identity = _content().get("models" if made == "models" else "curves", {}) if "tables" in entry else {}
    columns = {column: kind_.rstrip("?") for column, kind_ in (identity | entry["columns"]).items()}
    optional = frozenset(column for column, kind_ in entry["columns"].items() if kind_.endswith("?"))
    features = _content()["features"] if entry.get("features") else {}
    return Declared(entry["row"], made, columns, tuple(entry["key"]), optional, command, tuple(entry.get("deciders", ())), features)


def all_declared() -> list[tuple[str, str]]:
    """Kind and name of every table that is declared, stored or not."""
    return [(kind, name) for kind, entry in _kinds().items() for name in entry.get("tables", {} if "columns" in entry else entry)]


def names(kind: str, folder: str | Path | None = None) -> list[str]:
    """The names of the tables of a kind that are stored, in alphabetical order.

    >>> names("question")
    ['mano-minute', 'mano-tiny']
    """
    stored = [path.name for path in (_folder(folder) / kind).glob("*")]
    return sorted({name.removesuffix(ending) for name in stored for ending in ENDINGS if name.endswith(ending)})


def _folder(folder: str | Path | None) -> Path:
    folder = FOLDER if folder is None else Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"There is no folder {folder} to read tables from.")
    return folder


def tables(folder: str | Path | None = None) -> pd.DataFrame:
    """Which tables are stored: kind, name, what a row is, and how it is made.

    >>> tables().query("kind == 'question'")[["name", "made"]].values.tolist()
    [['mano-minute', 'anira question MODEL … --instances 500'], ['mano-tiny', 'anira question MODEL … --instances 500']]
    """
    rows = []
    for kind in _kinds():
        for name in names(kind, folder):
            table = declared(kind, name)
            command, _, options = table.command.partition(" ")
            made = {"models": f"anira {command} MODEL … {options}".strip(), "curves": "anira train"}.get(table.made, table.made)
            rows.append({"kind": kind, "name": name, "row": table.row, "made": made})
    return pd.DataFrame(rows, columns=["kind", "name", "row", "made"])


def read(kind: str, name: str, *, folder: str | Path | None = None) -> pd.DataFrame:
    """A stored table, or several of a kind.

    Args:
        kind: such as "traces", see `tables`.
        name: TASK-PRESET, such as "brevo-tiny"; with `*`, all that match, one below the other.
        folder: where they are, instead of those that come with the package; laid out as `anira tables` writes them.

    Raises:
        UnknownTable: nothing of that kind and name; the message lists what there is.
        FileNotFoundError: no such folder.
        ValueError: a table lacks a column, or has one of another type, an undefined value where none may be, or a row twice.

    >>> read("shipped", "brevo-tiny").query("size == 3")[["decider", "depth"]].round(1).values.tolist()
    [['early', 4.0], ['online', 2.7]]
    """
    if kind not in _kinds():
        declared(kind, name)
    stored = names(kind, folder)
    wanted = [one for one in stored if fnmatchcase(one, name)]
    if not wanted:
        where = "" if folder is None else f" in {folder}"
        raise UnknownTable(f"There is no table {name!r} of the kind {kind!r}{where}. There are: {', '.join(stored) or 'none'}.")
    return pd.concat([_read_one(kind, one, _folder(folder)) for one in wanted], ignore_index=True)


def _read_one(kind: str, name: str, folder: Path) -> pd.DataFrame:
    path = next(path for ending in ENDINGS if (path := folder / kind / f"{name}{ending}").is_file())
    table = declared(kind, name)
    where = f"The table {kind}/{path.name}"
    if path.suffix == ".jsonl":
        return check(pd.read_json(path, lines=True, dtype=False), table, where)
    names = pd.read_csv(path, nrows=0).columns
    kinds = {column: table.columns.get(column, "float") for column in names}
    numbers = {column: [""] for column, kind_of in kinds.items() if kind_of in ("int", "float")}  # and what is undefined there
    try:
        types = {column: "float64" if column in numbers else "str" for column in names}
        raw = pd.read_csv(path, dtype=types, keep_default_na=False, na_values=numbers)
    except ValueError:  # something is no number: as text it can be said what
        raw = pd.read_csv(path, dtype=str, keep_default_na=False)
    columns = {}
    for column, values in raw.items():
        kind_of = kinds[str(column)]
        try:
            columns[column] = _typed(values, kind_of)
        except ValueError as error:
            raise ValueError(f"{where}: its column {column!r} should be {kind_of}, but {error}.") from error
    return check(pd.DataFrame(columns), table, where)


def _typed(values: pd.Series, kind: str) -> pd.Series:
    if kind == "text":
        return values
    if kind == "bool":
        if not values.isin(["True", "False"]).all():
            raise ValueError("it has values besides True and False")
        return values == "True"
    numbers = pd.to_numeric(values.mask(values == ""))
    if kind == "int" and (numbers % 1 > 0).any():
        raise ValueError(f"it has numbers that are not whole, such as {numbers[numbers % 1 > 0].iloc[0]}")
    return numbers.astype(TYPES[kind])


def check(table: pd.DataFrame, declaration: Declared, where: str = "The table") -> pd.DataFrame:
    """The table itself, if it keeps to what is declared of it; else a `ValueError` that says where it does not."""
    features = _features(table, declaration)
    missing = [column for column in [*declaration.columns, *features] if column not in table]
    if missing:
        raise ValueError(f"{where} lacks the columns {missing}; it has {list(table)}.")
    holes = [column for column in declaration.columns if column not in declaration.optional and table[column].isna().any()]
    if holes:
        raise ValueError(f"{where} has undefined values in {holes}.")
    twice = table[table.duplicated(list(declaration.key))]
    if len(twice):
        raise ValueError(f"{where} has rows twice, such as {twice.iloc[0][list(declaration.key)].to_dict()}.")
    return table


def _features(table: pd.DataFrame, declaration: Declared) -> list[str]:
    tasks = set(table["task"]) if "task" in table else set()
    return [name for task in sorted(tasks) for name in declaration.features.get(task, [])]


class _Function(ModuleType):
    def __call__(self, kind: str, name: str, *, folder: str | Path | None = None) -> pd.DataFrame:
        """A stored table as a frame, see `anira.results.read`; which there are: `anira.results.tables()`."""
        return read(kind, name, folder=folder)


sys.modules[__name__].__class__ = _Function
