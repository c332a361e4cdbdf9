"""What a link to a page shows is what the page says first."""

import pytest

pytest.importorskip("sphinx")
import preview
from docutils.core import publish_doctree


def test_a_chapter_is_described_by_its_question():
    page = publish_doctree("Title\n=====\n\n    **Question.** Does it\n    think?\n\n    **Answer.** Yes.\n\nText.\n")
    assert preview.description(page) == "Does it think?"


def test_another_page_is_described_by_its_first_paragraph_cut_at_a_word():
    words = "word " * 100
    assert preview.description(publish_doctree(f"Title\n=====\n\n{words}")) == ("word " * 40).strip() + " …"
    assert preview.description(publish_doctree("")) == ""
