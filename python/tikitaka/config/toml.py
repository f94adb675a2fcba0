"""Configs as TOML files, every field with its documentation beside it."""

import tomllib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from tikitaka import _core
from tikitaka._internal.text import decoded
from tikitaka._internal.validation import hints_of
from tikitaka.config.convert import doc_of, kinds_of, named, to_dict

__all__ = ["read_toml", "to_toml"]


def to_toml(config: Any, names: Mapping[str, tuple[str, ...]]) -> str:
    """`config` as TOML: every field with its documentation as a comment; fields that are not set are comments.

    `names` lists the allowed values of plain fields, by field. Presets are written out, field by field.
    """
    lines, headed = _unset(config), set[str]()
    comments = _comments(type(config), names=names)
    for line in _core.to_toml({name: value for name, value in to_dict(config).items() if value != {}}).splitlines():
        if line.startswith("["):
            part, path, hint = config, "", None
            for name in line.strip("[]").split("."):  # a table that contains only tables has had no line yet
                path = f"{path}.{name}".lstrip(".")
                if isinstance(part, Mapping):
                    part, hint, doc = part[name], get_args(hint)[1], f"of {name}"
                else:
                    doc, hint = doc_of(type(part))[name], hints_of(type(part))[name]
                    part = getattr(part, name)
                if path not in headed:
                    headed.add(path)
                    lines += [""] if lines[-1] else []
                    lines += [f"[{path}]  # {_about(doc, hint)}", *_unset(part)]
            comments = _comments(type(part), hint)
        else:
            comment = comments.get(line.partition(" = ")[0])
            lines.append(f"{line}  # {comment}" if comment else line)
    return "\n".join(lines) + "\n"


def read_toml(path: str | Path) -> dict[str, Any]:
    """The tables of a TOML file, of UTF-8 with or without a byte order mark.

    OSError if it cannot be read, ValueError with its path if it is not valid TOML.
    """
    try:
        return tomllib.loads(decoded(Path(path).read_bytes()))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: {error}") from error


def _unset(part: Any) -> list[str]:
    if isinstance(part, Mapping):
        return []
    docs = doc_of(type(part))
    return [f"# {f.name} is not set: {docs[f.name]}" for f in fields(part) if getattr(part, f.name) in (None, {})]


def _comments(
    cls: type[Any], hint: Any = None, *, names: Mapping[str, tuple[str, ...]] | None = None
) -> dict[str, str]:
    """The comment for each field of a table of class `cls`, which represents a field of type `hint`."""
    comments = doc_of(cls)
    known = {name: get_args(each) for name, each in hints_of(cls).items() if get_origin(each) is Literal}
    known |= names or {}
    for name in known.keys() & comments.keys():
        comments[name] += f" [{' | '.join(known[name])}]"
    if "kind" in known:
        comments["kind"] = f"which [{' | '.join(kinds_of(hint))}]"
    return comments


def _about(doc: str, hint: Any) -> str:
    """The comment for the name of a table, which represents a field of type `hint`."""
    return f"{doc}; may begin with preset = [{' | '.join(named(hint))}]" if named(hint) else doc
