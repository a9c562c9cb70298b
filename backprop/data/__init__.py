"""Data: the digits, MNIST from its files, one-hot rows, honest splits, mini-batches, scaling."""

from backprop.data.idx import DATA_VARIABLE, Mnist, find_data_folder, mnist, read_idx
from backprop.data.images import disturb, shift_images
from backprop.data.labels import one_hot
from backprop.data.mismatch import Gaps, ShiftedSplit, measure_gaps, split_shifted
from backprop.data.scaling import Scaling, measure_scaling
from backprop.data.shipped import IMAGE_SIDE, digits
from backprop.data.splitting import Part, Split, batches, split

__all__ = [
    "DATA_VARIABLE",
    "IMAGE_SIDE",
    "Gaps",
    "Mnist",
    "Part",
    "Scaling",
    "ShiftedSplit",
    "Split",
    "batches",
    "digits",
    "disturb",
    "find_data_folder",
    "measure_gaps",
    "measure_scaling",
    "mnist",
    "one_hot",
    "read_idx",
    "shift_images",
    "split",
    "split_shifted",
]
