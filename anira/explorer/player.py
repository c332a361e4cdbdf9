"""The explorer as a self-contained piece of HTML: code, the first picture, and models that answer without kernel or network.

The modules are joined into one script in the order of `MODULES`. Weights stand in elements of their own, `<script data-anira-model>`: a site that would rather
have them beside its pages takes them out with `weights_out` and says where they lie in `data-weights`.
"""

import json
import re
from collections.abc import Mapping
from html import escape
from pathlib import Path

FOLDER = Path(__file__).parent
MODULES = (
    "parts arrays layers deciders model layout search expression tree problem sources words share graph tokens why panel pad controls explorer".split()  # each after those it needs
)
STYLE = (FOLDER / "explorer.css").read_text(encoding="utf-8")
# What is left where scripts and styles are taken out, as JupyterLab does with the outputs of a notebook that was run elsewhere.
ASLEEP = "The explorer stands here once scripts may run: trust this notebook (in JupyterLab the command Trust Notebook), or run this cell."
MODELS_ON_PAGE = re.compile(r'<script type="application/json" data-anira-model="([^"]+)">([^<]*)</script>')


def joined() -> str:
    """The modules as one: each in a function of its own, which hands out what the module exports."""
    parts = []
    for name in MODULES:
        code = (FOLDER / f"{name}.mjs").read_text(encoding="utf-8")
        code = re.sub(
            r'^import (\{[^}]*\}) from "./(\w+).mjs";', lambda found: f"const {found[1].replace(' as ', ': ')} = ${found[2]};", code, flags=re.MULTILINE
        )
        names = re.findall(r"^export (?:async )?(?:function\*?|const|class) (\w+)", code, flags=re.MULTILINE)
        code = re.sub(r"^export default ", "const $default = ", re.sub(r"^export (?!default)", "", code, flags=re.MULTILINE), flags=re.MULTILINE)
        handed = ", ".join([*names, "$default"] if "const $default = " in code else names)
        parts.append(f"const ${name} = (() => {{\n{code}\nreturn {{ {handed} }};\n}})();")
    return "\n".join([*parts, "const { startPlayers } = $explorer;", "export default $explorer.$default;\n"])


MODULE = joined()


def player(options: dict, first: dict, weights: Mapping[str, str]) -> str:
    """HTML of an explorer that answers by itself.

    Args:
        options: what can be chosen, with `models`, label → name of the weights, and `problems`.
        first: what shows before any weights are loaded.
        weights: name → packed model as JSON text.

    A page may hold several: each script starts the players that it finds not yet started.
    """
    data = _script_safe(json.dumps({"options": options, "first": first}, separators=(",", ":"), ensure_ascii=False))
    models = "".join(f'<script type="application/json" data-anira-model="{name}">{_script_safe(text)}</script>' for name, text in weights.items())
    return (
        f"<style>{STYLE}</style>"
        f'<div data-anira-player="{options["id"]}" data-weights=""><p>{ASLEEP}</p><script type="application/json">{data}</script></div>'
        f'{models}<script type="module">{MODULE}\nstartPlayers();</script>'
    )


def notice(identity: str, text: str) -> str:
    """HTML that says in the explorer's place why a page cannot show it; a widget of this identity takes that place."""
    return (
        f'<style>{STYLE}</style><div data-anira-player="{identity}" data-started=""><section class="anira-explorer" aria-label="Halting explorer">'
        f"<p>{escape(text)}</p></section></div>"
    )


def weights_out(html: str, folder: str) -> tuple[str, dict[str, str]]:
    """HTML of players without their weights, to be looked for in `folder`, and the classic scripts that belong there, name → text."""
    found = dict(MODELS_ON_PAGE.findall(html))
    scripts = {name: f"(globalThis.anira_models ??= {{}})[{json.dumps(name)}] = {text};\n" for name, text in found.items()}
    return MODELS_ON_PAGE.sub("", html).replace('data-weights=""', f'data-weights="{folder}"'), scripts


def _script_safe(text: str) -> str:
    """JSON in which nothing can close, or comment out, the script element around it."""
    return text.replace("<", "\\u003c")
