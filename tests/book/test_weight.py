"""What makes a page lighter loses nothing."""

import base64
import re
import zlib

import pytest

pytest.importorskip("sphinx")
charts = pytest.importorskip("charts")
weight = pytest.importorskip("weight")


def test_a_packed_script_holds_the_whole_script():
    script = "const sign = '−';\n" * 1000
    text = charts.packed(script)
    assert zlib.decompress(base64.b64decode(re.search(r'atob\("([^"]+)"\)', text)[1])).decode() == script
    assert len(text) < len(script) / 10


def test_rows_of_a_table_keep_names_and_values_and_unlike_rows_stay_as_they_are():
    rows = [{"a": 1, "b": None}, {"a": "x", "b": 2.5}]
    table = charts.by_columns(rows)
    assert [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]] == rows
    for unlike in ([], [{"a": 1}, {"a": 1, "b": 2}], [{"a": 1, "b": 2}, {"b": 2, "a": 1}], [{}]):
        assert charts.by_columns(unlike) == unlike


def test_of_the_theme_only_the_letters_of_icons_go():
    kept = '.fa-lg{font-size:1.25em}.fa-spin:before{animation:x}.note:before{content:"\\f05a"}'
    assert weight.LETTER.sub("", '.fa-a:before,.fa-b-c:before{content:"\\f0"}' + kept) == kept
