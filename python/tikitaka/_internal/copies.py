"""Copies and pickles: plain attributes with the version of their format."""

from typing import Any

from tikitaka._internal.shown import shown

__all__ = ["FORMAT", "Versioned", "unpickled"]

FORMAT = 1
"""version of pickled objects"""


def unpickled(name: str, state: Any) -> dict[str, Any]:
    """The attributes of an object of class `name` from its pickle; ValueError for one of another format version."""
    version = state.get("format") if isinstance(state, dict) else None
    if version != FORMAT:
        raise ValueError(f"the pickle of a {name} must be of format version {FORMAT}, not {shown(version)}")
    return {attribute: value for attribute, value in state.items() if attribute != "format"}


class Versioned:
    """Base class of objects that are pickled by their attributes, with a format version."""

    def __getstate__(self) -> dict[str, Any]:
        return {"format": FORMAT, **vars(self)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(unpickled(type(self).__name__, state))
