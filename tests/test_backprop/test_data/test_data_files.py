"""IDX files, whole and damaged; MNIST from its files; scaling with constant columns."""

from __future__ import annotations

import gzip
import os
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from kit.refusals import refusal

from backprop.data import DATA_VARIABLE, digits, find_data_folder, measure_scaling, mnist, read_idx
from backprop.errors import UsageError

KINDS = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
ROUNDING = 1e-12
CONSTANT_COLUMNS = 67
"""Pixels that no training image of MNIST ever inks."""
needs_mnist = pytest.mark.skipif(
    not find_data_folder(), reason=f"set {DATA_VARIABLE} to the folder with the MNIST files"
)


def write_idx(values, code=0x08) -> bytes:
    values = np.asarray(values)
    return (
        bytes([0, 0, code, values.ndim])
        + struct.pack(f">{values.ndim}I", *values.shape)
        + values.astype(KINDS[code]).tobytes()
    )


def write_mnist(folder, n=6, side=28, labels=None, pack=gzip.compress, ending=".gz"):
    rng = np.random.default_rng(0)
    for name in ("train", "t10k"):
        images = rng.integers(0, 256, size=(n, side, side))
        (folder / f"{name}-images-idx3-ubyte{ending}").write_bytes(pack(write_idx(images)))
        (folder / f"{name}-labels-idx1-ubyte{ending}").write_bytes(
            pack(write_idx(np.arange(n) if labels is None else labels))
        )
    return folder


@given(st.sampled_from(sorted(KINDS)), st.booleans(), st.data())
def test_what_is_written_is_read_back(tmp_path_factory, code, packed, data):
    kind = np.dtype(KINDS[code]).newbyteorder("=")
    values = data.draw(
        arrays(kind, array_shapes(max_dims=4, max_side=4), elements={"allow_nan": False} if kind.kind == "f" else None)
    )
    path = tmp_path_factory.mktemp("idx") / "file"
    path.write_bytes(gzip.compress(write_idx(values, code)) if packed else write_idx(values, code))
    found = read_idx(path)
    assert found.dtype == kind
    assert np.array_equal(found, values)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "begins with nothing"),
        (b"\x89PNG\r\n", "begins with 89 50 4e 47"),
        (b"\0\0\x08", "not an IDX file"),
        (b"\0\0\x07\x01\0\0\0\0", "not an IDX file"),
        (b"\0\0\x08\0", "not an IDX file"),
        (b"\0\0\x08\x03\0\0", "cut off in its head"),
        (write_idx(np.zeros((3, 4)))[:-1], r"is cut off: 23 bytes where its shape \(3, 4\) needs 24"),
        (write_idx(np.zeros(3)) + b"x", "goes on after its end"),
        (gzip.compress(write_idx(np.zeros(100)), mtime=0)[:-9], "damaged gzip file"),
        (gzip.compress(b"abc", mtime=0), "begins with 61 62 63"),
        (b"\0\0\x08\x04" + b"\xff" * 16, "is cut off"),
    ],
)
def test_a_file_that_is_not_whole_is_refused(tmp_path, content, message):
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(UsageError, match=message):
        read_idx(tmp_path / "file")


@given(st.binary(max_size=64))
def test_any_bytes_are_read_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes(content)
    try:
        found = read_idx(path)
    except UsageError:
        return
    assert write_idx(found, content[2]) == content


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(UsageError, match="cannot read"):
            read_idx(path)


@pytest.mark.parametrize(("pack", "ending"), [(gzip.compress, ".gz"), (bytes, "")])
def test_mnist_is_read_from_its_four_files(tmp_path, pack, ending):
    data = mnist(write_mnist(tmp_path, pack=pack, ending=ending))
    assert data.X.shape == data.test_X.shape == (6, 784)
    assert data.X.dtype == np.float32
    assert 0 <= data.X.min() < data.X.max() <= 1
    assert data.labels.tolist() == list(range(6))
    assert data.labels.dtype == np.int64


def test_the_folder_may_come_from_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv(DATA_VARIABLE, str(write_mnist(tmp_path)))
    assert len(mnist().X) == 6
    monkeypatch.delenv(DATA_VARIABLE)
    with pytest.raises(UsageError, match=f"--data DIR or set {DATA_VARIABLE}"):
        mnist()


def test_what_is_wrong_with_a_folder_is_said(tmp_path):
    with pytest.raises(UsageError, match="no file train-images-idx3-ubyte"):
        mnist(tmp_path)
    write_mnist(tmp_path, labels=[0, 1, 2, 3, 4, 10])
    with pytest.raises(UsageError, match="holds the label 10"):
        mnist(tmp_path)
    write_mnist(tmp_path, labels=[0, 1])
    with pytest.raises(UsageError, match="one label each"):
        mnist(tmp_path)
    (tmp_path / "t10k-images-idx3-ubyte.gz").unlink()
    write_mnist(tmp_path)
    (tmp_path / "t10k-images-idx3-ubyte.gz").write_bytes(write_idx(np.zeros((6, 8, 8))))
    with pytest.raises(UsageError, match="784 pixels, test images 64"):
        mnist(tmp_path)


@needs_mnist
def test_the_real_files_are_the_published_ones():
    data = mnist(os.environ[DATA_VARIABLE])
    assert (data.X.shape, data.test_X.shape) == ((60000, 784), (10000, 784))
    assert np.bincount(data.labels)[:3].tolist() == [5923, 6742, 5958]
    assert np.bincount(data.test_labels)[:3].tolist() == [980, 1135, 1032]
    scaled = measure_scaling(data.X[:1000]).apply(data.X)
    assert np.all(np.isfinite(scaled))
    assert np.sum(np.ptp(data.X, axis=0) == 0) == CONSTANT_COLUMNS


@given(arrays(np.float64, array_shapes(min_dims=2, max_dims=2, max_side=6), elements=st.floats(-1e6, 1e6, width=32)))
def test_scaled_columns_have_mean_zero_and_spread_one_or_are_zero(X):
    scaled = measure_scaling(X).apply(X)
    for before, after in zip(X.T, scaled.T, strict=True):
        if np.ptp(before) == 0:
            assert not after.any()
        elif np.std(before) > 1e-6 * np.max(np.abs(before)):
            assert np.mean(after) == pytest.approx(0, abs=1e-6)
            assert np.std(after) == pytest.approx(1, rel=1e-6)


def test_constant_columns_of_the_digits_stay_at_zero_and_scaling_can_be_undone():
    X, _ = digits()
    scaling = measure_scaling(X[:1000])
    scaled = scaling.apply(X)
    assert np.all(np.isfinite(scaled))
    constant = np.ptp(X[:1000], axis=0) == 0
    assert constant.sum() >= 3
    assert np.array_equal(scaled[:1000, constant], np.zeros((1000, constant.sum())))
    assert scaling.undo(scaled) == pytest.approx(X, abs=ROUNDING)
    assert scaling.apply(X.astype(np.float32)).dtype == np.float32


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: measure_scaling([[1.0], [np.nan]]), "finite"),
        (lambda: measure_scaling(np.zeros((0, 2))), "at least one row"),
        (lambda: measure_scaling([1.0]), "a table"),
        (lambda: measure_scaling([["a"]]), "table of numbers"),
        (lambda: measure_scaling([[1.0]]).apply([[1.0, 2.0]]), "2 columns, but"),
    ],
)
def test_what_cannot_be_scaled_is_refused(make, message):
    with pytest.raises(UsageError, match=message):
        make()


@pytest.mark.parametrize(
    ("labels", "code"),
    [
        (np.array([0, 1, 2, 3, 4, np.nan]), 0x0D), (np.array([0, 0.5, 1, 2, 3, 4]), 0x0E), ([0, 1, 2, 3, 4, -3], 0x09),
        ([0, 1, 2, 3, 4, 5], 0x0B), ([0, 1, 2, 3, 4, 5], 0x0C),
    ],
)  # fmt: skip
def test_labels_that_are_no_digits_of_one_byte_are_refused(tmp_path, labels, code):
    write_mnist(tmp_path)
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(write_idx(labels, code)))
    with pytest.raises(UsageError, match="one byte each"):
        mnist(tmp_path)


ZEROS = 300  # megabytes


@pytest.mark.parametrize("head", [b"", write_idx(np.zeros(1000))])
def test_what_goes_on_after_its_end_is_not_unpacked(tmp_path, head):
    packer = zlib.compressobj(1, wbits=31)
    parts = [packer.compress(head), *(packer.compress(bytes(10**6)) for _ in range(ZEROS)), packer.flush()]
    (tmp_path / "bomb").write_bytes(b"".join(parts))
    tracemalloc.start()
    with pytest.raises(UsageError, match="not an IDX file" if not head else "goes on after its end"):
        read_idx(tmp_path / "bomb")
    assert tracemalloc.get_traced_memory()[1] < 5e6
    tracemalloc.stop()


@given(st.integers(33, 255), st.sampled_from(sorted(KINDS)), st.binary(max_size=2000))
def test_more_axes_than_an_array_can_have_are_refused(tmp_path_factory, axes, code, rest):
    path = tmp_path_factory.mktemp("idx") / "file"
    path.write_bytes(bytes([0, 0, code, axes]) + rest)
    with pytest.raises(UsageError, match="not an IDX file"):
        read_idx(path)


@given(st.binary(max_size=300), st.booleans())
def test_any_bytes_are_an_array_or_one_line(tmp_path_factory, content, is_headed):
    path = tmp_path_factory.mktemp("idx") / "file"
    path.write_bytes(bytes([0, 0, 8, 1]) * is_headed + content)
    assert "\n" not in refusal(read_idx, path)


def test_a_pipe_is_refused_instead_of_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="no regular file"):
        read_idx(tmp_path / "pipe")
