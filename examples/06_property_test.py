"""The public strategies in a property test of your own: a law of every network that was drawn."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import backprop
from backprop.verification import strategies


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_the_gradient_of_a_bias_is_the_sum_over_the_samples(data):
    network = data.draw(strategies.networks(max_depth=3, costs=("half-sse",)))
    theta = data.draw(strategies.parameters(network))
    X, Y = data.draw(strategies.batches(network))
    net = backprop.build(network)
    one_by_one = sum(net.gradient(theta, X[s : s + 1], Y[s : s + 1]) for s in range(len(X)))
    np.testing.assert_allclose(net.gradient(theta, X, Y), one_by_one, rtol=1e-9, atol=1e-9)


test_the_gradient_of_a_bias_is_the_sum_over_the_samples()
print("50 random networks: the gradient of a batch is the sum of the gradients of its samples")
