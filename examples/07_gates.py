"""AND, OR and XOR: solved with one hidden layer; without one XOR cannot be, and here is why; leaves gates.png."""

import numpy as np

import backprop
from backprop.pictures import Gate, plot_gates

X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
TABLES = {"AND": [0, 0, 0, 1], "OR": [0, 1, 1, 1], "XOR": [0, 1, 1, 0]}
NETWORKS = {"no hidden layer, 2-1": "2-1", "one hidden layer, 2-4-1": "2-4-1"}

rows = []
for what, sizes in NETWORKS.items():
    net = backprop.build(sizes, activation="tanh", output="sigmoid", cost="binary-cross-entropy")
    gates = []
    for name, table in TABLES.items():
        labels = np.array(table)
        history = backprop.fit(net, X, labels[:, None], rate=0.1, epochs=1000, seed=1)
        outputs = net.forward(history.theta, X)[:, 0]
        right = int(np.sum((outputs >= 0.5) == labels))
        print(f"{what}, {name}: {right} of 4 right, outputs {np.round(outputs, 3).tolist()}")
        gates.append(
            Gate(name, X, labels, lambda x, net=net, t=history.theta: net.forward(t, x), f"{right} of 4 right")
        )
    rows.append((what, gates))

print(
    "Without a hidden layer the output is sigmoid(z) with z = w1 x1 + w2 x2 + b, so it is above 1/2 on one side of a\n"
    "straight line. XOR needs z(0,1) > 0 and z(1,0) > 0 but z(0,0) < 0 and z(1,1) < 0. Adding the first pair gives\n"
    "w1 + w2 + 2b > 0, adding the second w1 + w2 + 2b < 0: no weights do both. The cost is convex in them and its\n"
    "minimum is w1 = w2 = b = 0, output 1/2 everywhere."
)
plot_gates("gates.png", rows, title="Gates: a hidden layer bends the line")
