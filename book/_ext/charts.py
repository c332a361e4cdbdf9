"""Figures of `anira.charts` and the explorer on built pages, without a kernel and without a network.

A notebook's output holds a chart's specification. On the page it is drawn by Vega, which this extension writes next to
the pages once per build (from vl-convert, the same library that Altair saves pictures with), in the colours of the
reader's theme. MyST-NB finds plugins by entry points, which would load this one in every build of the environment that the
library is installed in; so it is added to the loaded ones, in the builds that use this extension. The explorer's models lie
beside the pages, and are loaded when a reader first asks one.
"""

import json
from pathlib import Path

import vl_convert
from docutils import nodes
from myst_nb.core.render import load_mime_renders

from anira.charts import MIME_TYPE
from anira.explorer.player import weights_out

FOLDER = Path(__file__).parent


class ChartOnPage:
    """How MyST-NB puts a chart on a page: its specification inside an element that `charts.js` finds."""

    mime_priority_overrides = [("*", MIME_TYPE, 5)]

    @staticmethod
    def handle_mime(renderer, data, inline: bool) -> list[nodes.Element] | None:
        """The nodes for an output that is a chart, none for any other."""
        if inline or data.mime_type != MIME_TYPE:
            return None
        spec = json.loads(data.content) if isinstance(data.content, str) else data.content
        text = json.dumps(spec, separators=(",", ":")).replace("</", "<\\/")
        return [nodes.raw("", f'<div class="vega-chart"><script type="application/json">{text}</script></div>', format="html")]


def _write_scripts(app) -> None:
    if app.builder.format != "html":
        return
    static = Path(app.outdir, "_static")
    static.mkdir(parents=True, exist_ok=True)
    bundle = vl_convert.javascript_bundle(vl_version=_newest(vl_convert.get_vegalite_versions()))
    (static / "vega.js").write_text(f"(() => {{{bundle}}})();", encoding="utf-8")  # its names would meet those of Sphinx's own scripts
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
