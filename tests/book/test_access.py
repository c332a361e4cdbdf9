"""What is mended on a written page, and nothing else of it."""

from access import mended


def test_a_toggle_gets_a_name_and_an_entry_its_role():
    toggle = '<details><summary><span class="toctree-toggle" role="presentation"><i></i></span></summary></details>'
    entry = '<div role="list" class="citation-list"><div class="citation" id="a" role="doc-biblioentry">text</div></div>'
    assert 'summary aria-label="Its pages"' in mended(toggle) and 'id="a" role="listitem"' in mended(entry)


def test_other_html_stays_as_it_is():
    page = "<details><summary>One solution</summary><p role='note'>doc-biblioentry</p></details>"
    assert mended(page) == page
