"""Errors that point into code."""

import pytest

from snnlearn.dialect.source import Source
from snnlearn.errors import DialectError


def shown(error: DialectError) -> list[str]:
    return str(error).split("\n")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_as_they_like(end: str) -> None:
    source = Source(f"one{end}two{end}three", "here")
    assert source.text == "one\ntwo\nthree"
    assert shown(source.error("wrong", 2, 3)) == ["here, line 2: wrong", "    two", "      ^"]


@pytest.mark.parametrize(
    ("line", "column", "caret_line", "caret"),
    [(1, 1, "ab", 0), (1, 3, "ab", 2), (2, 1, "cde", 0), (0, 0, "ab", 0), (9, 9, "cde", 3), (1, 99, "ab", 2)],
)
def test_places_outside_the_text_become_the_nearest(line: int, column: int, caret_line: str, caret: int) -> None:
    assert shown(Source("ab\ncde", "here").error("wrong", line, column))[1:] == [
        f"    {caret_line}",
        " " * (4 + caret) + "^",
    ]


def test_offsets_and_places_agree() -> None:
    text = "ab\n\ncd e\n"
    source = Source(text, "here")
    for at, char in enumerate(text.rstrip("\n")):
        first, line, caret = shown(source.error_at("wrong", at))
        number = int(first.split()[2][:-1])
        assert source.offset(number, len(caret) - 4) == at
        assert f"{line}\n"[len(caret) - 1] == char


def test_a_tab_is_one_column_and_the_rest_cannot_reach_the_terminal() -> None:
    assert shown(Source("\ta\x1b[2Jb\x00c", "here").error("wrong", 1, 8))[1:] == [
        "     a\ufffd[2Jb\ufffdc",
        "           ^",
    ]


@pytest.mark.parametrize("column", [1, 2, 79, 80, 81, 82, 500, 999, 1000])
def test_of_a_long_line_the_part_around_the_fault_is_shown(column: int) -> None:
    text = "".join(chr(ord("a") + i % 26) for i in range(1000))
    _, line, caret = shown(Source(text, "here").error("wrong", 1, column))
    assert len(line) <= 4 + 160
    assert line[len(caret) - 1] == text[column - 1]


def test_empty_code() -> None:
    assert shown(Source("", "here").error_at("wrong", 0)) == ["here, line 1: wrong", "    ", "    ^"]
