"""Tables in notebooks."""

from collections.abc import Iterable, Sequence
from html import escape

__all__ = ["table"]


def table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """An HTML table under `caption`, with all text escaped."""

    def line(tag: str, cells: Iterable[object]) -> str:
        return (
            "<tr>" + "".join(f'<{tag} style="text-align: left">{escape(str(cell))}</{tag}>' for cell in cells) + "</tr>"
        )

    body = "".join(line("td", row) for row in rows)
    return (
        f"<table><caption>{escape(caption)}</caption><thead>{line('th', columns)}</thead><tbody>{body}</tbody></table>"
    )
