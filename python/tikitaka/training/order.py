"""The order of examples in an epoch."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["shuffled", "streams"]


def shuffled(n: int, *, seed: int, epoch: int) -> NDArray[np.int64]:
    """The order of `n` examples in an epoch: a pure function of (n, seed, epoch), equal on every version of NumPy."""
    # the raw words of Philox are frozen by NumPy's compatibility policy, Generator.permutation is not
    words = np.random.Philox(key=np.array([seed, epoch], dtype=np.uint64)).random_raw(n)
    return np.argsort(words, kind="stable").astype(np.int64)


def streams(n: int, batch: int) -> NDArray[np.int64]:
    """The order of `n` consecutive sequences of a text in mini-batches of `batch`, for a network that carries state.

    The text becomes `batch` streams of n // `batch` sequences in parallel, so that each place of a mini-batch
    continues where the previous mini-batch ended. Sequences that do not fill the streams are dropped, which leaves none
    for fewer than `batch` sequences.
    """
    return np.arange(n // batch * batch, dtype=np.int64).reshape(batch, -1).T.ravel()
