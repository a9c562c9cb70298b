"""Generate the code of a network, look at its backward pass, verify it exactly and numerically."""

import inspect

import backprop

net = backprop.build("64-32-10", activation="relu", output="softmax", cost="cross-entropy")
print(inspect.getsource(net.module.gradients))
report = backprop.verify(net)
print(report)
assert report.ok
