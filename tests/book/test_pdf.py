"""The built pages as one PDF."""

import pytest

from tests.book.test_site import PAGES

pytestmark = pytest.mark.browser
pypdf = pytest.importorskip("pypdf")
pdf = pytest.importorskip("pdf")

PAGE = """<!DOCTYPE html><article class="bd-article"><h1>{title}<a class="headerlink" href="#x">#</a></h1><p id="pdf"></p><p>{text}</p>
<details><summary>A solution</summary><p>folded text</p></details><details class="chart-data"><summary>Data as a table</summary><p>rows</p></details>
<a href="other.html">on the site</a><p style="break-before: page">{title}, its second page</p></article>"""


def test_every_page_of_the_site_but_the_api_is_printed_in_its_order():
    assert pdf.pages() == [page for page in PAGES if page != "book/api/index"]


def test_pages_become_one_file_with_bookmarks_and_numbers_and_a_page_links_to_it(browser, tmp_path):
    (tmp_path / "book").mkdir()
    for name in ("first", "cite"):
        (tmp_path / f"book/{name}.html").write_text(PAGE.format(title=f"The {name}", text="text"), encoding="utf-8")
    assert pdf.write(browser, tmp_path, ["book/first", "book/cite"]) == 5
    read = pypdf.PdfReader(tmp_path / "book.pdf")
    texts = [page.extract_text() for page in read.pages]
    assert [(item.title, read.get_destination_page_number(item)) for item in read.outline] == [("The first", 1), ("The cite", 3)]
    assert [text.split()[-1] for text in texts] == ["1", "2", "3", "4", "5"]
    assert "How long should a token think?" in " ".join(texts[0].split())
    assert "folded text" in texts[1] and "rows" not in texts[1]
    assert not [link for page in read.pages for link in page.get("/Annots", []) if "file:" in str(link.get_object())]
    assert '<a href="../book.pdf">one PDF</a> of 5 pages' in (tmp_path / "book/cite.html").read_text(encoding="utf-8")
    assert (tmp_path / "book/first.html").read_text(encoding="utf-8").count('<p id="pdf"></p>') == 1
