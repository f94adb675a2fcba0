"""Objects for one thread at a time: the error of another thread says so in words."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

__all__ = ["one_thread"]

C = TypeVar("C", bound=type[Any])

_BORROWED = ("Already borrowed", "Already mutably borrowed")  # by the binding


def one_thread(cls: C) -> C:
    """`cls`, whose public methods and properties raise RuntimeError in words while another thread is in one of them."""
    for name, member in list(vars(cls).items()):
        if name.startswith("_"):
            continue
        if isinstance(member, property):
            get, put = (each and _in_words(cls.__name__, each) for each in (member.fget, member.fset))
            setattr(cls, name, property(get, put, doc=member.__doc__))
        elif callable(member):
            setattr(cls, name, _in_words(cls.__name__, member))
    return cls


def _in_words(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def call(*args: Any, **how: Any) -> Any:
        try:
            return method(*args, **how)
        except RuntimeError as error:
            if str(error) not in _BORROWED:
                raise
            words = f"a {name} is for one thread at a time, and another thread uses this one: give each thread its own"
            raise RuntimeError(words) from None

    return call
