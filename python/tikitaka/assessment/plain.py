"""Values as JSON gives them back, so that what was kept equals what would be kept."""

from collections.abc import Mapping
from typing import Any

__all__ = ["plain"]


def plain(value: Any) -> Any:
    """Nested mappings as dicts, and lists for tuples.

    >>> plain({"a": (1, (2, 3))})
    {'a': [1, [2, 3]]}
    """
    if isinstance(value, Mapping):
        return {name: plain(each) for name, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, list | tuple) else value
