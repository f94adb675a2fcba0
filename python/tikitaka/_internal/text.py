"""Text in files that other programs may have written or saved again."""

import codecs

__all__ = ["decoded"]


def decoded(content: bytes) -> str:
    """The text of UTF-8, with or without a byte order mark, or of UTF-16 with one, as older Windows shells redirect.

    Ends of lines become \\n. Raises UnicodeDecodeError for anything else.
    """
    utf_16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return content.decode("utf-16" if utf_16 else "utf-8-sig").replace("\r\n", "\n")
