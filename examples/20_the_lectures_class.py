"""The lecture's XOR snippet as it is printed, why it cannot work, and the same call with a hidden layer."""

import numpy as np

from backprop.lecture import FFNN, Adam, CostLogReg, sigmoid

X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=np.float64)
yXOR = np.array([[0], [1], [1], [0]])


def train(dimensions, seed):
    model = FFNN(dimensions, output_func=sigmoid, cost_func=CostLogReg, seed=seed)
    model.reset_weights()
    scheduler = Adam(eta=1e-1, rho=0.9, rho2=0.999)
    return model, model.fit(X, yXOR, scheduler, epochs=1000)


for dimensions in ((2, 1), (2, 4, 1)):
    runs = [train(dimensions, seed) for seed in range(5)]
    solved = sum(scores["train_accs"][-1] == 1 for _, scores in runs)
    least = min(scores["train_errors"].min() for _, scores in runs)
    print(f"{dimensions}: {solved} of {len(runs)} starts solve XOR, least cost {least:.6f}")

model = FFNN((2, 1), output_func=sigmoid, cost_func=CostLogReg, seed=0)
zero = np.zeros(3)
slope = np.abs(model.network.gradient(zero, X, yXOR.astype(float))).max()
print(
    f"Without a hidden layer the cost is convex in (w1, w2, b). At 0 its largest slope is {slope:.1g} and its value\n"
    f"{model.network.cost(zero, X, yXOR.astype(float)):.6f} = log 2: the best such network says 1/2 to everything."
)

first, late = Adam(eta=0.1, rho=0.9, rho2=0.999), Adam(eta=0.1, rho=0.9, rho2=0.999)
for _ in range(10_000):
    late.reset()
print(
    "This Adam forgets its means in every epoch but counts epochs. Its first step is "
    f"{first.update_change([1.0])[0]:.3f},\none of a late epoch {late.update_change([1.0])[0]:.3f}, "
    "whatever the gradient: the curve cannot settle."
)
