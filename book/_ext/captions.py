"""Figures that can be cited, from what a notebook can say in plain Markdown and HTML.

- A cell whose next paragraph begins with `<a id="fig-x"></a>` has its caption there: on the page, its output and that
  paragraph are one `<figure>` with this id. JupyterLab, Colab and GitHub show the paragraph below the output.
- What a cell shows as HTML may link to another notebook, `<a href='06-timing.ipynb'>`; on the page that is its page.
- Every other id in the HTML of a page, in its text or in what its cells show, is a target too. So
  `[Figure 6.1](#fig-x)`, and `[a claim](02-findings.ipynb#its-id)` from any page, are links that the build checks.
"""

import re

from docutils import nodes
from sphinx.transforms import SphinxTransform

ID = re.compile(r"""\sid=(["'])([^"']+)\1""")
LINK = re.compile(r"""(\shref=["'][\w-]+)\.ipynb\b""")
ANCHOR = re.compile(r"""<a id=(["'])([^"']+)\1>""")


class captioned(nodes.General, nodes.Element):
    """What has a caption, which is its last child."""


class caption_text(nodes.General, nodes.Element):
    """The caption."""


class Captions(SphinxTransform):
    """Makes figures, and lets links find ids."""

    default_priority = 870  # before MyST resolves `[text](#id)`

    def apply(self, **kwargs) -> None:
        """Apply the transform."""
        targets = getattr(self.document, "myst_slugs", {})
        for raw in self.document.findall(nodes.raw):
            if LINK.search(raw.astext()):
                raw[:] = [nodes.Text(LINK.sub(r"\1.html", raw.astext()))]
            for _, name in ID.findall(raw.astext()):
                targets.setdefault(name, (raw.line or 0, name, ""))
        if targets:
            self.env.metadata[self.env.docname]["myst_slugs"] = self.document.myst_slugs = targets
        for text in list(self.document.findall(nodes.paragraph)):
            self._join(text)

    def _join(self, text: nodes.paragraph) -> None:
        """Takes a caption to the output that it stands below; any other paragraph stays as it is."""
        anchor = ANCHOR.fullmatch(text[0].astext()) if text.children and isinstance(text[0], nodes.raw) else None
        place = text.parent.index(text)
        cell = text.parent[place - 1] if place else None
        if not anchor or not isinstance(cell, nodes.container) or cell.get("nb_element") != "cell_code":
            return
        output = next((part for part in cell if part.get("nb_element") == "cell_code_output"), None)
        if output is None:
            return
        text.parent.remove(text)
        del text[:2]  # the anchor, opened and closed: the figure bears its id
        output.children = [captioned("", *output.children, caption_text("", text), ids=[anchor[2]])]
        output[0].parent = output


def _element(name: str):
    return (lambda self, node: self.body.append(self.starttag(node, name)), lambda self, node: self.body.append(f"</{name}>\n"))


def _nothing(self, node) -> None:
    """Other builders show what is inside."""


def setup(app) -> dict:
    """Called by Sphinx."""
    plain = (_nothing, _nothing)
    app.add_node(captioned, html=_element("figure"), latex=plain, text=plain)
    app.add_node(caption_text, html=_element("figcaption"), latex=plain, text=plain)
    app.add_transform(Captions)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
