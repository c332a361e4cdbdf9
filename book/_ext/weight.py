"""What a page need not load: icons that it does not show, formulas' script where it has no formula, the search before one searches.

The theme draws its two dozen icons with Font Awesome's script of all its icons, 1.5 MB on each page. The shapes of those
in use are taken out of that script, written into a style sheet as masks, and the script is left empty; the icons' fonts are not loaded either,
and the theme's style sheet loses its two thousand rules that say which letter of a font an icon is. Its box for a search leads to the
page of results, which alone needs the index of all words. Sphinx
loads MathJax on a page whose *subpages* have formulas; here a page loads it for its own.
"""

import re
from pathlib import Path
from urllib.parse import quote

SCRIPT = Path("_static/scripts/fontawesome.js")
SHEET = Path("_static/styles/pydata-sphinx-theme.css")
LETTER = re.compile(r"(?:\.fa-[a-z0-9-]+:before,?)+\{content:[^{}]*\}")
SEARCH = re.compile(r'\s*<script src="[^"]*(?:searchtools|language_data|searchindex)\.js"></script>')
STYLES = ("fa-solid", "fa-regular", "fa-brands", "fas", "far", "fab")
USED = re.compile(rf'class="[^"]*\b({"|".join(STYLES)}) (?:fa-lg )?fa-([a-z-]+)')
BOX = "display: inline-block; height: 1em; vertical-align: -0.125em; background: currentColor; mask: var(--icon) center / contain no-repeat"


def _icons(script: str, names: set[str]) -> str:
    """A rule for each icon; the solid shapes stand last in the script."""
    icon = f":is({', '.join(f'.{style}' for style in STYLES)})"
    rules = [f'{icon}, {icon}::before {{ font-family: inherit }}', f'{icon}::before {{ content: ""; {BOX} }}', ".fa-lg { font-size: 1.25em; line-height: 0.05em }"]
    for name in sorted(names):
        found = re.findall(rf'[{{,]"?{re.escape(name)}"?:\[(\d+),(\d+),\[[^\]]*\],"[0-9a-f]+","(M[^"]+)"\]', script)
        if not found:
            raise ValueError(f"Font Awesome's script has no icon {name!r}, which a page shows.")
        width, height, path = found[-1]
        svg = quote(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"><path d="{path}"/></svg>', safe="")
        rules.append(f'.fa-{name}::before {{ --icon: url("data:image/svg+xml,{svg}"); width: {int(width) / int(height):.4g}em }}')
    return "\n".join(rules) + "\n"


def _lighten(app, error) -> None:
    if error or app.builder.format != "html":
        return
    out = Path(app.outdir)
    script = (out / SCRIPT).read_text(encoding="utf-8")
    pages = {path: path.read_text(encoding="utf-8") for path in out.rglob("*.html")}
    for path, page in pages.items():
        if path.name != "search.html":
            path.write_text(SEARCH.sub("", page), encoding="utf-8")
    (out / SHEET).write_text(LETTER.sub("", (out / SHEET).read_text(encoding="utf-8")), encoding="utf-8")
    names = {name for page in pages.values() for _, name in USED.findall(page)} | {"sun", "moon", "circle-half-stroke"}  # those the theme's script switches
    (out / "_static/icons.css").write_text(_icons(script, names - {"lg"}), encoding="utf-8")
    (out / SCRIPT).write_text("/* The icons are in icons.css. */\n", encoding="utf-8")
    (out / SCRIPT).with_suffix(".js.map").unlink(missing_ok=True)


def _no_idle_formulas(app, pagename, templatename, context, doctree) -> None:
    own = app.env.get_domain("math").data["has_equations"].get(pagename, False)
    if not own and "script_files" in context:
        context["script_files"][:] = [script for script in context["script_files"] if Path(app.config.mathjax_path).name not in str(script)]


def setup(app) -> dict:
    """Called by Sphinx."""
    app.add_css_file("icons.css")
    app.connect("html-page-context", _no_idle_formulas, priority=900)  # after Sphinx's own
    app.connect("build-finished", _lighten)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
