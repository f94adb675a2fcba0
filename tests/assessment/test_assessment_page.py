"""The page of an assessment: what it holds, and that it fetches nothing."""

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from support.assessments import assessed, small
from tikitaka.assessment import page, svg

VOID = {"meta", "link", "br", "hr", "img"}


class Page(HTMLParser):
    """Elements and texts of a page; fails where elements are not closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        small(monkeypatch)
        return assessed(tmp_path_factory.mktemp("page"), seeds=2).result


def test_the_page_answers_in_text_figures_and_numbers(result: dict[str, Any]) -> None:
    text = page.html(result)
    read = Page(text)
    assert text.startswith("<!doctype html>")
    titles = re.findall(r"<h2>(.*?)</h2>", text)
    assert titles[0] == "Limited by"
    assert len(titles) == 6
    properties = result["properties"]
    assert sum(tag == "svg" for tag, _ in read.elements) == 3 + len(properties)  # rules, gains, response
    levels = [level for each in properties for level in each["levels"]]
    for number in (*result["rules"], *levels):
        error = number["error"]
        assert f"{error['mean']:.1f} [{error['low']:.1f}, {error['high']:.1f}]" in read.text
        assert f"tikitaka train trainings/{number['config']}.toml --seed 0 … 1" in read.text
    assert result["command"] in read.text


def test_the_page_fetches_nothing(result: dict[str, Any]) -> None:
    text = page.html(result)
    read = Page(text)
    assert {tag for tag, _ in read.elements} & {"script", "img", "iframe", "object", "embed", "audio", "video"} == set()
    addresses = [attributes[name] for _, attributes in read.elements for name in ("src", "href") if name in attributes]
    assert addresses == ["data:,"]  # no icon
    assert re.findall(r"url\(|@import|https?:", text) == []
    assert "default-src 'none'" in text


def test_both_themes_and_narrow_screens(result: dict[str, Any]) -> None:
    text = page.html(result)
    for part in ("prefers-color-scheme: dark", "width=device-width", "@media (max-width", 'content="light dark"'):
        assert part in text


def test_names_are_escaped(result: dict[str, Any]) -> None:
    text = page.html({**result, "device": {**result["device"], "name": "<script>alert(1)</script>"}})
    assert "<script" not in text
    assert "&lt;script&gt;" in text


def test_the_same_result_gives_the_same_page(result: dict[str, Any]) -> None:
    assert page.html(result) == page.html(result)


def test_figures_of_degenerate_numbers() -> None:
    """A single seed has no intervals, and all may be equal."""
    assert "<svg" in svg.rows([svg.Bar("", "a", 1.0, None, None), svg.Bar("", "b", 1.0, None, None)], "x", "t")
    assert "<svg" in svg.curves([svg.Curve([(0.0, 0.0), (0.0, 0.0)], [None, None])], "x", "y", "t")


def test_every_text_of_a_figure_is_within_it(result: dict[str, Any]) -> None:
    """By a width of 7 units for each character of 12 units."""
    for figure in re.findall(r"<svg.*?</svg>", page.html(result)):
        for style, x, words in re.findall(r'<text(?: class="([\w ]*)")? x="([\d.-]+)"[^>]*>(.*?)</text>', figure):
            width = 7 * len(words)
            left = float(x) - (width / 2 if style == "tick" else width if "end" in style.split() else 0)
            assert left > -2, words
            assert left + width < svg.WIDTH + 8, words


def test_the_page_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small(monkeypatch)
    found = assessed(tmp_path, seeds=1)
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == found.html
    assert found._repr_html_() in found.html
    assert "[" not in found.text.split("training")[1].splitlines()[1]  # one seed has no interval
