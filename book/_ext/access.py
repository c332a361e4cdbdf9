"""What Sphinx and its theme write on a page that a screen reader cannot make sense of, mended when the page is written.

The theme's toggle of a part's pages has no name. docutils gives each entry of a bibliography a role that is no longer in
use, inside a list that then has no items.
"""

from pathlib import Path

MENDED = {
    '<summary><span class="toctree-toggle" role="presentation">': '<summary aria-label="Its pages"><span class="toctree-toggle" role="presentation">',
    'role="doc-biblioentry"': 'role="listitem"',
}


def mended(page: str) -> str:
    """The HTML of a page with these replaced."""
    for wrong, right in MENDED.items():
        page = page.replace(wrong, right)
    return page


def _mend(app, error) -> None:
    if error or app.builder.format != "html":
        return
    for path in Path(app.outdir).rglob("*.html"):
        path.write_text(mended(path.read_text(encoding="utf-8")), encoding="utf-8")


def setup(app) -> dict:
    """Called by Sphinx."""
    app.connect("build-finished", _mend)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
