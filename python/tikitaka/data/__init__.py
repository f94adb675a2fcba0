"""Data sets: bundled digits, folders in MNIST format, texts, checks and downloads."""

from tikitaka.data.dataset import Dataset
from tikitaka.data.download import download
from tikitaka.data.idx import read_idx
from tikitaka.data.sets import data_folder, load
from tikitaka.data.text import read_text, text_dataset
from tikitaka.data.vocabulary import Vocabulary

__all__ = ["Dataset", "Vocabulary", "data_folder", "download", "load", "read_idx", "read_text", "text_dataset"]
