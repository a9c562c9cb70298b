"""Train 64-32-10 on real handwritten digits with the generated gradient; leaves digits.png."""

import os

import backprop
from backprop.data import digits, disturb, one_hot, split
from backprop.pictures import plot_training
from backprop.training import accuracy, cosine

EPOCHS = 10 if os.environ.get("QUICK") else 200

X, labels = digits()
parts = split(X, one_hot(labels), stratify=labels)
net = backprop.build("64-32-10", activation="relu", output="softmax", cost="cross-entropy")
history = backprop.fit(
    net,
    parts.train.X,
    parts.train.Y,
    rate=cosine(0.01),
    epochs=EPOCHS,
    validation=(parts.validation.X, parts.validation.Y),
    augment=disturb,
)
share = accuracy(net, history.theta, parts.test.X, labels[parts.test.rows])
print(f"{share:.2%} of {len(parts.test.rows)} digits never used in training are read correctly")
plot_training(history, "digits.png")
