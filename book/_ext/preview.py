"""What a link to a page shows elsewhere: title, description and a picture.

The description of a chapter is the question of its box, that of any other page its first paragraph. The picture's address
must be a whole one, so it is that in the repository.
"""

import html

import address
from docutils import nodes

PICTURE = "book/_static/explorer.png"
LONGEST = 200  # characters of a description


def description(doctree: nodes.document) -> str:
    """A page in one or two sentences."""
    quoted = next(doctree.findall(nodes.block_quote), None)
    paragraph = next((quoted or doctree).findall(nodes.paragraph), None)
    text = " ".join(paragraph.astext().split()).removeprefix("Question. ") if paragraph else ""
    return text if len(text) <= LONGEST else text[:LONGEST].rsplit(" ", 1)[0] + " …"


def _describe(app, pagename, templatename, context, doctree) -> None:
    if doctree is None:
        return
    picture = f"{address.repository()}/raw/{address.BRANCH}/{PICTURE}"
    said = {"og:title": context["title"], "og:description": description(doctree), "og:type": "article", "og:image": picture}
    tags = [f'<meta name="description" content="{html.escape(said["og:description"])}"/>']
    tags += [f'<meta property="{name}" content="{html.escape(text)}"/>' for name, text in said.items()]
    context["metatags"] = context.get("metatags", "") + "\n".join(tags)


def setup(app) -> dict:
    """Called by Sphinx."""
    app.connect("html-page-context", _describe)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
