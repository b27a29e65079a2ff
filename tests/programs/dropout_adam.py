"""Dense network with inverted dropout and an L2 penalty, trained with Adam on minibatches (columns are examples)."""
import numpy as np


def initialize_parameters(layer_dims):
    np.random.seed(3)
    parameters = {}
    L = len(layer_dims)
    for l in range(1, L):
        parameters['W' + str(l)] = np.random.randn(layer_dims[l], layer_dims[l - 1]) * np.sqrt(2 / layer_dims[l - 1])
        parameters['b' + str(l)] = np.zeros((layer_dims[l], 1))
    return parameters


def forward_propagation_with_dropout(X, parameters, keep_prob=0.8):
    W1, b1, W2, b2, W3, b3 = [parameters[k] for k in ('W1', 'b1', 'W2', 'b2', 'W3', 'b3')]
    Z1 = np.dot(W1, X) + b1
    A1 = np.maximum(0, Z1)
    D1 = np.random.rand(A1.shape[0], A1.shape[1]) < keep_prob
    A1 = A1 * D1 / keep_prob
    Z2 = np.dot(W2, A1) + b2
    A2 = np.maximum(0, Z2)
    D2 = np.random.rand(A2.shape[0], A2.shape[1]) < keep_prob
    A2 = A2 * D2 / keep_prob
    Z3 = np.dot(W3, A2) + b3
    A3 = 1 / (1 + np.exp(-Z3))
    return A3, (Z1, D1, A1, W1, Z2, D2, A2, W2, Z3, A3, W3)


def compute_cost(A3, Y, parameters, lambd):
    m = Y.shape[1]
    cross_entropy = -np.sum(Y * np.log(A3) + (1 - Y) * np.log(1 - A3)) / m
    squares = np.sum(np.square(parameters['W1'])) + np.sum(np.square(parameters['W2'])) + np.sum(np.square(parameters['W3']))
    return cross_entropy + lambd / (2 * m) * squares


def backward_propagation(X, Y, cache, keep_prob, lambd):
    m = X.shape[1]
    (Z1, D1, A1, W1, Z2, D2, A2, W2, Z3, A3, W3) = cache
    dZ3 = A3 - Y
    dW3 = 1. / m * np.dot(dZ3, A2.T) + lambd / m * W3  # wrong: dW3 = 1. / m * np.dot(dZ3, A2.T)
    db3 = 1. / m * np.sum(dZ3, axis=1, keepdims=True)
    dA2 = np.dot(W3.T, dZ3)
    dA2 = dA2 * D2 / keep_prob  # wrong: dA2 = dA2 * D1[:4] / keep_prob
    dZ2 = np.multiply(dA2, np.int64(A2 > 0))
    dW2 = 1. / m * np.dot(dZ2, A1.T) + lambd / m * W2  # wrong: dW2 = 1. / m * np.dot(dZ2, A1.T) + lambd * W2
    db2 = 1. / m * np.sum(dZ2, axis=1, keepdims=True)  # wrong: db2 = np.sum(dZ2, axis=1, keepdims=True)
    dA1 = np.dot(W2.T, dZ2)
    dA1 = dA1 * D1 / keep_prob
    dZ1 = np.multiply(dA1, np.int64(A1 > 0))  # wrong: dZ1 = np.multiply(dA1, np.int64(dA1 > 0))
    dW1 = 1. / m * np.dot(dZ1, X.T) + lambd / m * W1
    db1 = 1. / m * np.sum(dZ1, axis=1, keepdims=True)
    return {'dW3': dW3, 'db3': db3, 'dW2': dW2, 'db2': db2, 'dW1': dW1, 'db1': db1}


def update_parameters_with_adam(parameters, grads, v, s, t, learning_rate=0.01, beta1=0.9, beta2=0.999, epsilon=1e-8):
    for name in parameters:
        v[name] = beta1 * v[name] + (1 - beta1) * grads['d' + name]
        s[name] = beta2 * s[name] + (1 - beta2) * grads['d' + name] ** 2
        v_corrected = v[name] / (1 - beta1 ** t)
        s_corrected = s[name] / (1 - beta2 ** t)
        parameters[name] = parameters[name] - learning_rate * v_corrected / (np.sqrt(s_corrected) + epsilon)
    return parameters, v, s


def model(X, Y, layer_dims, lambd=0.7, keep_prob=0.8, num_epochs=6, batch_size=16):
    parameters = initialize_parameters(layer_dims)
    v = {name: np.zeros_like(value) for name, value in parameters.items()}
    s = {name: np.zeros_like(value) for name, value in parameters.items()}
    t = 0
    for epoch in range(num_epochs):
        permutation = np.random.permutation(X.shape[1])
        for k in range(0, X.shape[1], batch_size):
            batch_X = X[:, permutation[k:k + batch_size]]
            batch_Y = Y[:, permutation[k:k + batch_size]]
            # parameters: parameters
            A3, cache = forward_propagation_with_dropout(batch_X, parameters, keep_prob)
            cost = compute_cost(A3, batch_Y, parameters, lambd)
            grads = backward_propagation(batch_X, batch_Y, cache, keep_prob, lambd)
            # gradients: cost, {name: grads["d" + name] for name in parameters}
            t = t + 1
            parameters, v, s = update_parameters_with_adam(parameters, grads, v, s, t)
        print("Cost after epoch {}: {}".format(epoch, cost))
    return parameters


np.random.seed(1)
train_X = np.random.randn(2, 64)
train_Y = (np.sum(train_X ** 2, axis=0, keepdims=True) > 1.4).astype(int)
parameters = model(train_X, train_Y, [2, 8, 4, 1])
