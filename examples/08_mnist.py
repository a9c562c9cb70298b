"""784-100-100-10 on MNIST: python 08_mnist.py --data DIR; without the files on the shipped digits; leaves mnist.png."""

import argparse
import os
import sys
import time

import numpy as np

import backprop
from backprop.data import digits, disturb, find_data_folder, mnist, one_hot, shift_images, split
from backprop.pictures import plot_classes
from backprop.training import one_cycle

EPOCHS, BATCH, PEAK, VALIDATION = 20, 128, 0.004, 5000

options = argparse.ArgumentParser(description=__doc__)
options.add_argument("--data", help="folder with the four MNIST files (or set BACKPROP_DATA)")
folder = find_data_folder(options.parse_args().data)

if folder and not os.environ.get("QUICK"):
    try:
        data = mnist(folder)
    except backprop.UsageError as error:
        sys.exit(f"error: {error}")
    X, labels, test_X, test_labels = data
    name, epochs, augment = "MNIST", EPOCHS, shift_images  # moved by up to one pixel, anew in every epoch
else:
    images, numbers = digits()
    whole = split(images.astype(np.float32), numbers, (0.8, 0.0, 0.2), stratify=numbers)
    (X, labels, _), (test_X, test_labels, _) = whole.train, whole.test
    name, augment = "Shipped digits", disturb
    epochs = 4 if os.environ.get("QUICK") else 60

rows = np.random.default_rng(0).permutation(len(X))
count = min(VALIDATION, len(X) // 10)
check, train = rows[:count], rows[count:]
Y = one_hot(labels, 10)

net = backprop.build(f"{X.shape[1]}-100-100-10", activation="relu", output="softmax", cost="cross-entropy")
began = time.perf_counter()
history = backprop.fit(
    net,
    X[train],
    Y[train],
    rate=one_cycle(PEAK),  # Adam
    epochs=epochs,
    batch=BATCH,
    initialiser="he",
    augment=augment,
    validation=(X[check], Y[check]),
    measure=False,
    progress=True if os.environ.get("QUICK") is None else None,
)
seconds = time.perf_counter() - began

probabilities = net.forward(history.theta, test_X)  # the test digits are used here, once
share = float(np.mean(np.argmax(probabilities, axis=1) == test_labels))
print(f"{net.network}: {net.size:,} parameters, {len(train):,} digits, {history.description}")
print(f"epoch {history.best_epoch} kept, {history.validation_accuracies[history.best_epoch]:.2%} of validation")
print(f"{share:.2%} of {len(test_X):,} test digits read correctly, after {seconds:.1f} s of training")

plot_classes(
    "mnist.png",
    images=test_X,
    labels=test_labels,
    probabilities=probabilities,
    weights=net.views(history.theta)[0][0],
    title=f"{name}, {X.shape[1]}-100-100-10: {share:.2%} of {len(test_X):,} test digits read",
)
