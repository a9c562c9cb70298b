"""A model of torch and one of scikit-learn come along: same outputs, same gradient, verified, stored as safetensors."""

import numpy as np

import backprop

rng = np.random.default_rng(0)
X, labels = rng.normal(size=(30, 4)), np.arange(30) % 3
Y = np.eye(3)[labels]

try:
    import torch
except ImportError:
    print("torch is not installed: its part is left out")
else:
    torch.manual_seed(0)
    module = torch.nn.Sequential(
        torch.nn.Linear(4, 8), torch.nn.LayerNorm(8), torch.nn.GELU(), torch.nn.Linear(8, 3)
    ).double()
    ours = backprop.from_torch(module, output="softmax")  # CrossEntropyLoss applies the softmax itself
    print(ours.net.network)
    torch.nn.CrossEntropyLoss()(module(torch.from_numpy(X)), torch.from_numpy(labels)).backward()
    theirs = module[0].weight.grad.numpy().T
    mine = ours.net.views(ours.net.gradient(ours.theta, X, Y))[0][0]
    print(f"largest difference of the gradient by W1: {np.abs(mine - theirs).max():.1e}")
    print(f"verified: {backprop.verify(ours.net.network).ok}")
    try:
        backprop.from_torch(torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Conv1d(1, 1, 2)))
    except backprop.UsageError as error:
        print(f"refused: {error}")
    try:
        file = backprop.save("model.safetensors", ours.net, ours.theta)
        print(f"{file.name} reads back: {np.array_equal(backprop.load(file).theta, ours.theta)}")
    except backprop.UsageError as error:
        print(error)

try:
    from sklearn.neural_network import MLPClassifier
except ImportError:
    print("scikit-learn is not installed: its part is left out")
else:
    mlp = MLPClassifier((8,), solver="lbfgs", alpha=0.1, max_iter=5000, random_state=0).fit(X, labels)
    ours = backprop.from_sklearn(mlp, rows=len(X))
    print(f"{ours.net.network}")
    print(f"largest difference of the outputs: {np.abs(ours.forward(X) - mlp.predict_proba(X)).max():.1e}")
