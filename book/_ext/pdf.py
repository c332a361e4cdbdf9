"""The book as one PDF, from the built pages: `python book/_ext/pdf.py`, after `make book`.

Headless Chromium prints each page as its reader would, on white, with its charts as drawings and all that folds opened;
pypdf puts them behind a title page, with bookmarks and page numbers. The API reference stays on the site. The link to the
file is written into the page on how to cite when the file is there, so it never leads nowhere.
"""

import html
import shutil
from base64 import b64encode
from datetime import date
from io import BytesIO
from pathlib import Path

import address
import yaml
from playwright.sync_api import Browser, Page, sync_playwright
from pypdf import PdfReader, PdfWriter

SITE = address.ROOT / "_build/html"
LINK = '<p id="pdf"></p>'  # in book/cite.md
MARGIN = {"top": "18mm", "bottom": "20mm", "left": "18mm", "right": "18mm"}  # of A4
WIDTH = 656  # CSS pixels between the margins
WIDE = 1100  # for the picture of an explorer
STYLE = """
.bd-header, .bd-header-article, .bd-sidebar-primary, .bd-sidebar-secondary, .bd-footer, .prev-next-footer, .headerlink, .copybtn, .vega-bindings,
#jb-print-docs-body, .onlyprint, #pst-back-to-top, .bd-footer-article { display: none !important }
.bd-article, .bd-main, .bd-content, .bd-article-container, .bd-container__inner { display: block; margin: 0; padding: 0; max-width: none; width: auto }
.bd-article { font-size: 14px }
figure, tr, blockquote, .vega-chart, .cell_input { break-inside: avoid }
h1, h2, h3 { break-after: avoid }
pre { white-space: pre-wrap; overflow-wrap: anywhere }
.vega-chart, .vega-embed, .cell_output, figure div { overflow: visible !important }
svg.marks { max-width: 100%; height: auto }
.bd-main .bd-content .bd-article h1:first-of-type { display: block }
.bd-main .bd-content table { break-inside: auto }
.anira-picture { display: block; max-width: 100%; max-height: 225mm; margin: auto; break-inside: avoid }
.bd-article table { font-size: 11px !important; overflow-wrap: break-word }
"""
READY = """() => [...document.querySelectorAll('.vega-chart')].every((chart) => chart.querySelector('svg.marks'))
    && document.querySelectorAll('mjx-container').length >= document.querySelectorAll('.math').length"""
OPEN = """() => {
    document.querySelectorAll('details:not(.chart-data)').forEach((part) => (part.open = true));
    document.querySelectorAll('a[href]').forEach((link) => link.protocol === 'file:' && link.removeAttribute('href'));
}"""
PICTURE = """(explorer, png) => {
    const picture = Object.assign(document.createElement('img'), { className: 'anira-picture', src: `data:image/png;base64,${png}` });
    const live = Object.assign(document.createElement('p'), { textContent: 'The explorer as it opens. It is live on this page of the site.' });
    explorer.replaceChildren(picture, live);
}"""


def pages() -> list[str]:
    """The book's pages in reading order, without the API reference."""
    toc = yaml.safe_load((address.ROOT / "_toc.yml").read_text(encoding="utf-8"))
    return [toc["root"], *(chapter["file"] for part in toc["parts"] for chapter in part["chapters"] if "sections" not in chapter)]


def _page(browser: Browser, width: int) -> Page:
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme="light")
    page.emulate_media(media="print", color_scheme="light")
    return page


def printed(browser: Browser, path: Path) -> tuple[str, PdfReader]:
    """The title of a page, and its PDF."""
    page = _page(browser, WIDE)
    page.goto(path.as_uri())
    page.add_style_tag(content=STYLE)
    page.wait_for_function(READY)
    for explorer in page.locator("[data-anira-player]").all():
        explorer.evaluate(PICTURE, b64encode(explorer.screenshot()).decode())
    page.set_viewport_size({"width": WIDTH, "height": 900})
    page.wait_for_timeout(1000)  # charts are drawn anew, as wide as the paper
    page.wait_for_function(READY)
    page.evaluate(OPEN)
    title = page.locator("h1").first.evaluate("heading => [...heading.childNodes].filter(node => node.nodeType === 3).map(node => node.data).join('')")
    content = page.pdf(format="A4", margin=MARGIN, print_background=True)
    page.close()
    return title.strip(), PdfReader(BytesIO(content))


def composed(browser: Browser, text: str, margin: dict[str, str] = MARGIN) -> PdfReader:
    """A PDF of HTML that is written here."""
    page = _page(browser, WIDTH)
    page.set_content(f"<body style='margin: 0; font-family: system-ui, sans-serif'>{text}")
    content = page.pdf(format="A4", margin=margin)
    page.close()
    return PdfReader(BytesIO(content))


def title_page() -> str:
    """Title, authors, date and address, from the book's configuration."""
    config = yaml.safe_load((address.ROOT / "_config.yml").read_text(encoding="utf-8"))
    lines = [config["author"], f"{date.today():%-d %B %Y}", address.repository(), "The explorer, the menus of the charts and the API reference are on the site."]
    rest = "".join(f"<p>{html.escape(line)}</p>" for line in lines)
    return f"<h1 style='margin: 80mm 0 20mm; font-size: 40px'>{html.escape(config['title'])}</h1>{rest}"


def write(browser: Browser, site: Path, names: list[str]) -> int:
    """Writes the pages of a built site into its `book.pdf`, and the link to it; how many pages of paper they are."""
    book = PdfWriter()
    book.append(composed(browser, title_page()), import_outline=False)
    for name in names:
        title, part = printed(browser, site / f"{name}.html")
        book.append(part, outline_item=title, import_outline=False)
    count = len(book.pages)
    foot = "break-after: page; box-sizing: border-box; height: 297mm; margin: 0; padding-top: 283mm; text-align: center; font-size: 12px"
    numbers = "".join(f"<p style='{foot}'>{number}</p>" for number in range(1, count + 1))
    for page, number in zip(book.pages, composed(browser, numbers, {}).pages, strict=False):
        page.merge_page(number)
    book.write(site / "book.pdf")
    cite = site / "book/cite.html"
    said = f'<p id="pdf">The whole book is also <a href="../book.pdf">one PDF</a> of {count} pages.</p>'
    cite.write_text(cite.read_text(encoding="utf-8").replace(LINK, said), encoding="utf-8")
    return count


def main() -> None:
    """Prints the built site."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        print(f"{SITE / 'book.pdf'}: {write(browser, SITE, pages())} pages")
        browser.close()


if __name__ == "__main__":
    main()
