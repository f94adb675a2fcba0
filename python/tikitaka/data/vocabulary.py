"""Characters and their codes."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tikitaka._internal.shown import shown
from tikitaka._internal.validation import check_kind

__all__ = ["Vocabulary"]

I64 = NDArray[np.int64]

_UTF32 = "utf-32-le"  # four bytes per character, which NumPy converts at once


@dataclass(frozen=True)
class Vocabulary:
    """The characters of a text; the code of each is its place among them, from 0.

    Raises TypeError for anything but a string, and ValueError unless there is at least one character, each occurs once,
    and they are sorted.
    """

    characters: str
    """every character once, in sorted order"""

    def __post_init__(self) -> None:
        check_kind("characters", self.characters, str)
        if not self.characters or "".join(sorted(set(self.characters))) != self.characters:
            raise ValueError(f"characters must be one or more, each once and sorted, not {shown(self.characters)}")

    @classmethod
    def of(cls, text: str) -> Self:
        """The vocabulary of the characters in `text`; ValueError if there are none."""
        check_kind("text", text, str)
        return cls("".join(sorted(set(text))))

    def __len__(self) -> int:
        return len(self.characters)

    def encode(self, text: str) -> I64:
        """The code of each character of `text`: (characters,), 0 to len − 1.

        Raises ValueError naming the first character that is not in the vocabulary, and its position from 0.
        """
        check_kind("text", text, str)
        known, points = _points(self.characters), _points(text)
        codes = np.minimum(np.searchsorted(known, points), len(known) - 1)
        strange = np.flatnonzero(known[codes] != points)
        if strange.size:
            first = int(strange[0])
            raise ValueError(
                f"character {shown(text[first])} at position {first:,} is not among the {len(self)} known ones"
            )
        return codes.astype(np.int64)

    def decode(self, codes: ArrayLike) -> str:
        """The text of `codes` (characters,); ValueError for a code out of range, TypeError for anything but
        integers."""
        numbers = np.asarray(codes)
        if numbers.size == 0:
            return ""
        if numbers.dtype.kind not in "iu":
            raise TypeError(f"codes must be whole numbers, not {numbers.dtype}")
        outside = np.flatnonzero((numbers < 0) | (numbers >= len(self)))
        if outside.size:
            first = int(outside[0])
            raise ValueError(f"code {numbers.flat[first]} at position {first:,} is outside 0 to {len(self) - 1}")
        content: bytes = _points(self.characters)[numbers].tobytes()
        return content.decode(_UTF32, "surrogatepass")


def _points(text: str) -> NDArray[np.uint32]:
    """The Unicode number of each character; lone surrogates, which may come from a command line, are allowed."""
    return np.frombuffer(text.encode(_UTF32, "surrogatepass"), dtype="<u4")
