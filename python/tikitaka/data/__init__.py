"""Data sets: bundled digits, folders in MNIST format, checks and downloads."""

from tikitaka.data.download import download
from tikitaka.data.idx import read_idx
from tikitaka.data.sets import Dataset, data_folder, load

__all__ = ["Dataset", "data_folder", "download", "load", "read_idx"]
