"""Figures of `anira.charts` and the explorer on built pages, without a kernel and without a network.

A notebook's output holds a chart's specification. On the page it is drawn by Vega, which this extension writes next to
the pages once per build (from vl-convert, the same library that Altair saves pictures with), in the colours of the
reader's theme. MyST-NB finds plugins by entry points, which would load this one in every build of the environment that the
library is installed in; so it is added to the loaded ones, in the builds that use this extension. The explorer's models lie
beside the pages, and are loaded when a reader first asks one.

Vega is compressed, and unpacks itself: a page read from disk, or from a server that does not compress, loads less than half. So does
a table of a specification that names its columns once.
"""

import base64
import json
import zlib
from pathlib import Path

import vl_convert
from docutils import nodes
from myst_nb.core.render import load_mime_renders

from anira.charts import MIME_TYPE
from anira.explorer.player import weights_out

FOLDER = Path(__file__).parent

#: A script that runs the compressed script in it; `vegaReady` is kept once that has run.
UNPACKING = """\
globalThis.vegaReady = (async () => {
  const bytes = Uint8Array.from(atob("%s"), (letter) => letter.charCodeAt(0));
  const text = await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).text();
  document.head.append(Object.assign(document.createElement("script"), { textContent: text }));
})();
"""


def packed(script: str) -> str:
    """A script that does the same and is a few times shorter."""
    return UNPACKING % base64.b64encode(zlib.compress(script.encode(), 9)).decode()


def by_columns(table: list[dict]) -> list[dict] | dict:
    """A table's rows without the names of their columns, which stand once; the table itself where its rows have different ones."""
    columns = list(table[0]) if table else []
    if not columns or any(list(row) != columns for row in table):
        return table
    return {"columns": columns, "rows": [list(row.values()) for row in table]}


class ChartOnPage:
    """How MyST-NB puts a chart on a page: its specification inside an element that `charts.js` finds."""

    mime_priority_overrides = [("*", MIME_TYPE, 5)]

    @staticmethod
    def handle_mime(renderer, data, inline: bool) -> list[nodes.Element] | None:
        """The nodes for an output that is a chart, none for any other."""
        if inline or data.mime_type != MIME_TYPE:
            return None
        spec = json.loads(data.content) if isinstance(data.content, str) else data.content
        if "datasets" in spec:
            spec = {**spec, "datasets": {name: by_columns(table) for name, table in spec["datasets"].items()}}
        text = json.dumps(spec, separators=(",", ":")).replace("</", "<\\/")
        return [nodes.raw("", f'<div class="vega-chart"><script type="application/json">{text}</script></div>', format="html")]


def _write_scripts(app) -> None:
    if app.builder.format != "html":
        return
    static = Path(app.outdir, "_static")
    static.mkdir(parents=True, exist_ok=True)
    bundle = vl_convert.javascript_bundle(vl_version=_newest(vl_convert.get_vegalite_versions()))
    (static / "vega.js").write_text(packed(f"(() => {{{bundle}}})();"), encoding="utf-8")  # its names would meet those of Sphinx's own scripts
    (static / "charts.js").write_text((FOLDER / "charts.js").read_text(encoding="utf-8"), encoding="utf-8")


def _models_beside(app, pagename, templatename, context, doctree) -> None:
    body = context.get("body", "")
    if app.builder.format != "html" or "data-anira-model" not in body:
        return
    context["body"], scripts = weights_out(body, context["pathto"]("_models/", resource=True))
    folder = Path(app.outdir, "_models")
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in scripts.items():
        (folder / f"{name}.js").write_text(text, encoding="utf-8")


def _newest(versions: list[str]) -> str:
    return max(versions, key=lambda version: [int(part) for part in version.split(".")])


def setup(app) -> dict:
    """Called by Sphinx."""
    plugins = load_mime_renders()  # the list that MyST-NB keeps
    if ChartOnPage not in plugins:
        plugins.append(ChartOnPage)
    app.connect("builder-inited", _write_scripts)
    app.connect("html-page-context", _models_beside)
    app.add_js_file("charts.js", loading_method="defer")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
