"""Downloads of public data sets, on request only; needs the extra `download` (pooch)."""

from pathlib import Path

from tikitaka._internal.shown import shown
from tikitaka.data.sets import data_folder

__all__ = ["download"]

# address, and the publisher's MD5 of each compressed file
_SOURCES: dict[str, tuple[str, dict[str, str]]] = {
    "mnist": (
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        {
            "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
            "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
            "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
            "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
        },
    ),
    "fashion-mnist": (
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        {
            "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
            "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
            "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
            "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
        },
    ),
}


def download(name: str, data_dir: str | Path | None = None) -> Path:
    """Download `name`, such as "mnist", into its folder in `data_folder(data_dir)` and return that folder.

    Complete files are kept. Raises ValueError for another name, no folder, or content that fails
    its checksum, and ModuleNotFoundError without pooch.
    """
    if name not in _SOURCES:
        raise ValueError(f"cannot download {shown(name)}: there are {', '.join(_SOURCES)}")
    base = data_folder(data_dir)
    if base is None:
        raise ValueError("the folder of data sets must be given by data_dir= or TIKITAKA_DATA")
    try:
        import pooch  # an extra: most users never need it
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError("downloads need the package pooch: pip install 'tikitaka[download]'") from error

    address, files = _SOURCES[name]
    for file, md5 in files.items():
        pooch.retrieve(address + file, known_hash=f"md5:{md5}", fname=file, path=base / name)
    return base / name
