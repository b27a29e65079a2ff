"""Networks as people write them in NumPy: the ways of holding parameters, of calling, of giving gradients back.

Each is a whole file, in a style found in public repositories and written anew. `FILES` says of each what is true:
the activations, the loss whose gradient it computes (of a mean over examples, times `factor(m)`), the layout.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from typing import NamedTuple


class AuthorFile(NamedTuple):
    code: str
    layout: str
    hidden: str
    output: str
    loss: str
    factor: Callable[[int], float] = lambda m: 1.0
    parameters: str = "W1 b1 W2 b2"
    in_place: bool = False
    has_loss: bool = True
    traces: bool = True  # whether its loss, or else its forward pass, runs under JAX
    decay: float = 0.0  # λ of a penalty λ / 2m ΣW²


FILES: dict[str, AuthorFile] = {}


def add(name: str, layout: str, hidden: str, output: str, loss: str, code: str, **rest) -> None:
    FILES[name] = AuthorFile(textwrap.dedent(code), layout, hidden, output, loss, **rest)


add("kaggle digits", "columns", "relu", "softmax", "cross-entropy", has_loss=False, code="""
    import numpy as np
    import pandas as pd
    from matplotlib import pyplot as plt

    data = pd.read_csv('/kaggle/input/digit-recognizer/train.csv')
    data = np.array(data)
    m, n = data.shape
    np.random.shuffle(data)
    data_dev = data[0:1000].T
    Y_dev = data_dev[0]
    X_train = data_dev[1:n] / 255.

    def init_params():
        W1 = np.random.rand(10, 784) - 0.5
        b1 = np.random.rand(10, 1) - 0.5
        W2 = np.random.rand(10, 10) - 0.5
        b2 = np.random.rand(10, 1) - 0.5
        return W1, b1, W2, b2

    def ReLU(Z):
        return np.maximum(Z, 0)

    def softmax(Z):
        A = np.exp(Z) / sum(np.exp(Z))
        return A

    def forward_prop(W1, b1, W2, b2, X):
        Z1 = W1.dot(X) + b1
        A1 = ReLU(Z1)
        Z2 = W2.dot(A1) + b2
        A2 = softmax(Z2)
        return Z1, A1, Z2, A2

    def ReLU_deriv(Z):
        return Z > 0

    def one_hot(Y):
        one_hot_Y = np.zeros((Y.size, Y.max() + 1))
        one_hot_Y[np.arange(Y.size), Y] = 1
        return one_hot_Y.T

    def backward_prop(Z1, A1, Z2, A2, W1, W2, X, Y):
        one_hot_Y = one_hot(Y)
        dZ2 = A2 - one_hot_Y
        dW2 = 1 / m * dZ2.dot(A1.T)
        db2 = 1 / m * np.sum(dZ2, axis=1, keepdims=True)
        dZ1 = W2.T.dot(dZ2) * ReLU_deriv(Z1)
        dW1 = 1 / m * dZ1.dot(X.T)
        db1 = 1 / m * np.sum(dZ1, axis=1, keepdims=True)
        return dW1, db1, dW2, db2

    def update_params(W1, b1, W2, b2, dW1, db1, dW2, db2, alpha):
        W1 = W1 - alpha * dW1
        b1 = b1 - alpha * db1
        W2 = W2 - alpha * dW2
        b2 = b2 - alpha * db2
        return W1, b1, W2, b2

    def get_predictions(A2):
        return np.argmax(A2, 0)

    def gradient_descent(X, Y, alpha, iterations):
        W1, b1, W2, b2 = init_params()
        for i in range(iterations):
            Z1, A1, Z2, A2 = forward_prop(W1, b1, W2, b2, X)
            dW1, db1, dW2, db2 = backward_prop(Z1, A1, Z2, A2, W1, W2, X, Y)
            W1, b1, W2, b2 = update_params(W1, b1, W2, b2, dW1, db1, dW2, db2, alpha)
            if i % 10 == 0:
                print("Iteration: ", i)
        return W1, b1, W2, b2

    W1, b1, W2, b2 = gradient_descent(X_train, Y_train, 0.10, 500)
    plt.show()
""")  # fmt: skip

add("course, two layers", "columns", "tanh", "sigmoid", "binary-cross-entropy", code="""
    import numpy as np
    import copy
    from planar_utils import plot_decision_boundary, load_planar_dataset

    X, Y = load_planar_dataset()

    def sigmoid(z):
        return 1 / (1 + np.exp(-z))

    def layer_sizes(X, Y):
        n_x = X.shape[0]
        n_h = 4
        n_y = Y.shape[0]
        return (n_x, n_h, n_y)

    def initialize_parameters(n_x, n_h, n_y):
        W1 = np.random.randn(n_h, n_x) * 0.01
        b1 = np.zeros(shape=(n_h, 1))
        W2 = np.random.randn(n_y, n_h) * 0.01
        b2 = np.zeros(shape=(n_y, 1))
        assert (W1.shape == (n_h, n_x))
        parameters = {"W1": W1,
                      "b1": b1,
                      "W2": W2,
                      "b2": b2}
        return parameters

    def forward_propagation(X, parameters):
        W1 = parameters["W1"]
        b1 = parameters["b1"]
        W2 = parameters["W2"]
        b2 = parameters["b2"]
        Z1 = np.dot(W1, X) + b1
        A1 = np.tanh(Z1)
        Z2 = np.dot(W2, A1) + b2
        A2 = sigmoid(Z2)
        assert (A2.shape == (1, X.shape[1]))
        cache = {"Z1": Z1, "A1": A1, "Z2": Z2, "A2": A2}
        return A2, cache

    def compute_cost(A2, Y):
        m = Y.shape[1]
        logprobs = np.multiply(np.log(A2), Y) + np.multiply((1 - Y), np.log(1 - A2))
        cost = -np.sum(logprobs) / m
        cost = float(np.squeeze(cost))
        return cost

    def backward_propagation(parameters, cache, X, Y):
        m = X.shape[1]
        W1 = parameters["W1"]
        W2 = parameters["W2"]
        A1 = cache["A1"]
        A2 = cache["A2"]
        dZ2 = A2 - Y
        dW2 = (1 / m) * np.dot(dZ2, A1.T)
        db2 = (1 / m) * np.sum(dZ2, axis=1, keepdims=True)
        dZ1 = np.multiply(np.dot(W2.T, dZ2), 1 - np.power(A1, 2))
        dW1 = (1 / m) * np.dot(dZ1, X.T)
        db1 = (1 / m) * np.sum(dZ1, axis=1, keepdims=True)
        grads = {"dW1": dW1,
                 "db1": db1,
                 "dW2": dW2,
                 "db2": db2}
        return grads

    def update_parameters(parameters, grads, learning_rate=1.2):
        W1 = copy.deepcopy(parameters["W1"])
        W1 = W1 - learning_rate * grads["dW1"]
        return {"W1": W1}

    def nn_model(X, Y, n_h, num_iterations=10000, print_cost=False):
        n_x = layer_sizes(X, Y)[0]
        n_y = layer_sizes(X, Y)[2]
        parameters = initialize_parameters(n_x, n_h, n_y)
        for i in range(0, num_iterations):
            A2, cache = forward_propagation(X, parameters)
            cost = compute_cost(A2, Y)
            grads = backward_propagation(parameters, cache, X, Y)
            parameters = update_parameters(parameters, grads)
        return parameters

    def predict(parameters, X):
        A2, cache = forward_propagation(X, parameters)
        return A2 > 0.5
""")  # fmt: skip

add("course, L layers", "columns", "relu", "sigmoid", "binary-cross-entropy", parameters="W1 b1 W2 b2 W3 b3", code="""
    import numpy as np
    import h5py

    def sigmoid(Z):
        A = 1 / (1 + np.exp(-Z))
        return A, Z

    def relu(Z):
        A = np.maximum(0, Z)
        return A, Z

    def relu_backward(dA, activation_cache):
        Z = activation_cache
        dZ = np.array(dA, copy=True)
        dZ[Z <= 0] = 0
        return dZ

    def sigmoid_backward(dA, activation_cache):
        s = 1 / (1 + np.exp(-activation_cache))
        return dA * s * (1 - s)

    def initialize_parameters_deep(layer_dims):
        np.random.seed(3)
        parameters = {}
        L = len(layer_dims)
        for l in range(1, L):
            parameters['W' + str(l)] = np.random.randn(layer_dims[l], layer_dims[l - 1]) / np.sqrt(layer_dims[l - 1])
            parameters['b' + str(l)] = np.zeros((layer_dims[l], 1))
        return parameters

    def linear_forward(A, W, b):
        Z = np.dot(W, A) + b
        cache = (A, W, b)
        return Z, cache

    def linear_activation_forward(A_prev, W, b, activation):
        if activation == "sigmoid":
            Z, linear_cache = linear_forward(A_prev, W, b)
            A, activation_cache = sigmoid(Z)
        elif activation == "relu":
            Z, linear_cache = linear_forward(A_prev, W, b)
            A, activation_cache = relu(Z)
        cache = (linear_cache, activation_cache)
        return A, cache

    def L_model_forward(X, parameters):
        caches = []
        A = X
        L = len(parameters) // 2
        for l in range(1, L):
            A_prev = A
            A, cache = linear_activation_forward(A_prev, parameters['W' + str(l)], parameters['b' + str(l)], "relu")
            caches.append(cache)
        AL, cache = linear_activation_forward(A, parameters['W' + str(L)], parameters['b' + str(L)], "sigmoid")
        caches.append(cache)
        return AL, caches

    def compute_cost(AL, Y):
        m = Y.shape[1]
        cost = -1 / m * (np.dot(Y, np.log(AL).T) + np.dot(1 - Y, np.log(1 - AL).T))
        cost = np.squeeze(cost)
        return cost

    def linear_backward(dZ, cache):
        A_prev, W, b = cache
        m = A_prev.shape[1]
        dW = 1 / m * np.dot(dZ, A_prev.T)
        db = 1 / m * np.sum(dZ, axis=1, keepdims=True)
        dA_prev = np.dot(W.T, dZ)
        return dA_prev, dW, db

    def linear_activation_backward(dA, cache, activation):
        linear_cache, activation_cache = cache
        if activation == "relu":
            dZ = relu_backward(dA, activation_cache)
        else:
            dZ = sigmoid_backward(dA, activation_cache)
        return linear_backward(dZ, linear_cache)

    def L_model_backward(AL, Y, caches):
        grads = {}
        L = len(caches)
        m = AL.shape[1]
        Y = Y.reshape(AL.shape)
        dAL = -(np.divide(Y, AL) - np.divide(1 - Y, 1 - AL))
        current_cache = caches[L - 1]
        dA_prev_temp, dW_temp, db_temp = linear_activation_backward(dAL, current_cache, "sigmoid")
        grads["dA" + str(L - 1)], grads["dW" + str(L)], grads["db" + str(L)] = dA_prev_temp, dW_temp, db_temp
        for l in reversed(range(L - 1)):
            current_cache = caches[l]
            dA_prev_temp, dW_temp, db_temp = linear_activation_backward(grads["dA" + str(l + 1)], current_cache, "relu")
            grads["dA" + str(l)] = dA_prev_temp
            grads["dW" + str(l + 1)] = dW_temp
            grads["db" + str(l + 1)] = db_temp
        return grads
""")  # fmt: skip

add("one example at a time", "columns", "sigmoid", "sigmoid", "squared-error", has_loss=False,
    parameters="W1 b1 W2 b2 W3 b3", code="""
    import random
    import numpy as np

    class Network(object):
        def __init__(self, sizes):
            self.num_layers = len(sizes)
            self.sizes = sizes
            self.biases = [np.random.randn(y, 1) for y in sizes[1:]]
            self.weights = [np.random.randn(y, x) for x, y in zip(sizes[:-1], sizes[1:])]

        def feedforward(self, a):
            for b, w in zip(self.biases, self.weights):
                a = sigmoid(np.dot(w, a) + b)
            return a

        def SGD(self, training_data, epochs, mini_batch_size, eta, test_data=None):
            n = len(training_data)
            for j in range(epochs):
                random.shuffle(training_data)
                mini_batches = [training_data[k:k + mini_batch_size] for k in range(0, n, mini_batch_size)]
                for mini_batch in mini_batches:
                    self.update_mini_batch(mini_batch, eta)

        def update_mini_batch(self, mini_batch, eta):
            nabla_b = [np.zeros(b.shape) for b in self.biases]
            nabla_w = [np.zeros(w.shape) for w in self.weights]
            for x, y in mini_batch:
                delta_nabla_b, delta_nabla_w = self.backprop(x, y)
                nabla_b = [nb + dnb for nb, dnb in zip(nabla_b, delta_nabla_b)]
                nabla_w = [nw + dnw for nw, dnw in zip(nabla_w, delta_nabla_w)]
            self.weights = [w - (eta / len(mini_batch)) * nw for w, nw in zip(self.weights, nabla_w)]
            self.biases = [b - (eta / len(mini_batch)) * nb for b, nb in zip(self.biases, nabla_b)]

        def backprop(self, x, y):
            nabla_b = [np.zeros(b.shape) for b in self.biases]
            nabla_w = [np.zeros(w.shape) for w in self.weights]
            activation = x
            activations = [x]
            zs = []
            for b, w in zip(self.biases, self.weights):
                z = np.dot(w, activation) + b
                zs.append(z)
                activation = sigmoid(z)
                activations.append(activation)
            delta = self.cost_derivative(activations[-1], y) * sigmoid_prime(zs[-1])
            nabla_b[-1] = delta
            nabla_w[-1] = np.dot(delta, activations[-2].transpose())
            for l in range(2, self.num_layers):
                z = zs[-l]
                sp = sigmoid_prime(z)
                delta = np.dot(self.weights[-l + 1].transpose(), delta) * sp
                nabla_b[-l] = delta
                nabla_w[-l] = np.dot(delta, activations[-l - 1].transpose())
            return (nabla_b, nabla_w)

        def evaluate(self, test_data):
            test_results = [(np.argmax(self.feedforward(x)), y) for (x, y) in test_data]
            return sum(int(x == y) for (x, y) in test_results)

        def cost_derivative(self, output_activations, y):
            return (output_activations - y)

    def sigmoid(z):
        return 1.0 / (1.0 + np.exp(-z))

    def sigmoid_prime(z):
        return sigmoid(z) * (1 - sigmoid(z))
""")  # fmt: skip

add("built with its data", "rows", "sigmoid", "sigmoid", "squared-error", factor=lambda m: 2.0 * m, in_place=True,
    parameters="W1 W2", has_loss=False, code="""
    import numpy as np

    def sigmoid(x):
        return 1.0 / (1 + np.exp(-x))

    def sigmoid_derivative(x):
        return x * (1.0 - x)

    class NeuralNetwork:
        def __init__(self, x, y):
            self.input = x
            self.weights1 = np.random.rand(self.input.shape[1], 4)
            self.weights2 = np.random.rand(4, 1)
            self.y = y
            self.output = np.zeros(self.y.shape)

        def feedforward(self):
            self.layer1 = sigmoid(np.dot(self.input, self.weights1))
            self.output = sigmoid(np.dot(self.layer1, self.weights2))

        def backprop(self):
            d_weights2 = np.dot(self.layer1.T, (2 * (self.y - self.output) * sigmoid_derivative(self.output)))
            d_weights1 = np.dot(self.input.T, (np.dot(2 * (self.y - self.output) * sigmoid_derivative(self.output),
                                self.weights2.T) * sigmoid_derivative(self.layer1)))
            self.weights1 += d_weights1
            self.weights2 += d_weights2

    if __name__ == "__main__":
        X = np.array([[0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]])
        y = np.array([[0], [1], [1], [0]])
        nn = NeuralNetwork(X, y)
        for i in range(1500):
            nn.feedforward()
            nn.backprop()
        print(nn.output)
""")  # fmt: skip

add("one neuron, eleven lines", "rows", "", "sigmoid", "squared-error", factor=lambda m: float(m), in_place=True,
    parameters="W1", has_loss=False, code="""
    from numpy import exp, array, random, dot

    class NeuralNetwork():
        def __init__(self):
            random.seed(1)
            self.synaptic_weights = 2 * random.random((3, 1)) - 1

        def __sigmoid(self, x):
            return 1 / (1 + exp(-x))

        def __sigmoid_derivative(self, x):
            return x * (1 - x)

        def train(self, training_set_inputs, training_set_outputs, number_of_training_iterations):
            for iteration in range(number_of_training_iterations):
                output = self.think(training_set_inputs)
                error = training_set_outputs - output
                adjustment = dot(training_set_inputs.T, error * self.__sigmoid_derivative(output))
                self.synaptic_weights += adjustment

        def think(self, inputs):
            return self.__sigmoid(dot(inputs, self.synaptic_weights))

    if __name__ == "__main__":
        neural_network = NeuralNetwork()
        training_set_inputs = array([[0, 0, 1], [1, 1, 1], [1, 0, 1], [0, 1, 1]])
        training_set_outputs = array([[0, 1, 1, 0]]).T
        neural_network.train(training_set_inputs, training_set_outputs, 10000)
""")  # fmt: skip

add("loss and gradients in one", "rows", "relu", "identity", "softmax-cross-entropy", code="""
    import numpy as np

    class TwoLayerNet(object):
        def __init__(self, input_size, hidden_size, output_size, std=1e-4):
            self.params = {}
            self.params['W1'] = std * np.random.randn(input_size, hidden_size)
            self.params['b1'] = np.zeros(hidden_size)
            self.params['W2'] = std * np.random.randn(hidden_size, output_size)
            self.params['b2'] = np.zeros(output_size)

        def loss(self, X, y=None, reg=0.0):
            W1, b1 = self.params['W1'], self.params['b1']
            W2, b2 = self.params['W2'], self.params['b2']
            N, D = X.shape
            h1 = np.maximum(0, X.dot(W1) + b1)
            scores = h1.dot(W2) + b2
            if y is None:
                return scores
            scores = scores - np.max(scores, axis=1, keepdims=True)
            p = np.exp(scores) / np.sum(np.exp(scores), axis=1, keepdims=True)
            loss = np.sum(-np.log(p[np.arange(N), y])) / N
            loss += reg * (np.sum(W1 * W1) + np.sum(W2 * W2))
            grads = {}
            dscores = p.copy()
            dscores[np.arange(N), y] -= 1
            dscores /= N
            grads['W2'] = h1.T.dot(dscores) + 2 * reg * W2
            grads['b2'] = dscores.sum(axis=0)
            dh = dscores.dot(W2.T)
            dh[h1 <= 0] = 0
            grads['W1'] = X.T.dot(dh) + 2 * reg * W1
            grads['b1'] = dh.sum(axis=0)
            return loss, grads

        def train(self, X, y, X_val, y_val, learning_rate=1e-3, reg=0.0, num_iters=100, batch_size=200):
            for it in range(num_iters):
                loss, grads = self.loss(X, y=y, reg=reg)
                for p in self.params:
                    self.params[p] -= learning_rate * grads[p]

        def predict(self, X):
            return np.argmax(self.loss(X), axis=1)
""", traces=False)  # fmt: skip

add("class with a params dict", "rows", "relu", "softmax", "cross-entropy", code="""
    import numpy as np

    class MLP:
        def __init__(self, input_dim, hidden_dim, output_dim, learning_rate=0.01, seed=42):
            rng = np.random.default_rng(seed)
            self.lr = learning_rate
            self.params = {
                "W1": rng.standard_normal((input_dim, hidden_dim)) * np.sqrt(2.0 / input_dim),
                "b1": np.zeros((1, hidden_dim)),
                "W2": rng.standard_normal((hidden_dim, output_dim)) * np.sqrt(2.0 / hidden_dim),
                "b2": np.zeros((1, output_dim)),
            }

        @staticmethod
        def softmax(z):
            e = np.exp(z - np.max(z, axis=1, keepdims=True))
            return e / np.sum(e, axis=1, keepdims=True)

        def forward(self, X):
            z1 = X @ self.params["W1"] + self.params["b1"]
            a1 = np.maximum(0, z1)
            z2 = a1 @ self.params["W2"] + self.params["b2"]
            y_hat = self.softmax(z2)
            self.cache = {"X": X, "z1": z1, "a1": a1, "y_hat": y_hat}
            return y_hat

        def compute_loss(self, y_true, y_pred):
            m = y_true.shape[0]
            return -np.sum(y_true * np.log(y_pred + 1e-12)) / m

        def backward(self, y_true):
            m = y_true.shape[0]
            dz2 = (self.cache["y_hat"] - y_true) / m
            dW2 = self.cache["a1"].T @ dz2
            db2 = np.sum(dz2, axis=0, keepdims=True)
            dz1 = (dz2 @ self.params["W2"].T) * (self.cache["z1"] > 0)
            dW1 = self.cache["X"].T @ dz1
            db1 = np.sum(dz1, axis=0, keepdims=True)
            return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}

        def step(self, grads):
            for name in self.params:
                self.params[name] -= self.lr * grads[name]

        def fit(self, X, y, epochs=100):
            for _ in range(epochs):
                y_hat = self.forward(X)
                self.step(self.backward(y))
""")  # fmt: skip

add("train does all", "rows", "sigmoid", "sigmoid", "squared-error", factor=lambda m: float(m), in_place=True,
    has_loss=False, code="""
    import numpy as np

    class NeuralNetwork:
        def __init__(self, input_size, hidden_size, output_size):
            self.weights_input_hidden = np.random.randn(input_size, hidden_size)
            self.weights_hidden_output = np.random.randn(hidden_size, output_size)
            self.bias_hidden = np.zeros((1, hidden_size))
            self.bias_output = np.zeros((1, output_size))

        def sigmoid(self, x):
            return 1 / (1 + np.exp(-x))

        def sigmoid_derivative(self, x):
            return x * (1 - x)

        def feedforward(self, X):
            self.hidden_activation = np.dot(X, self.weights_input_hidden) + self.bias_hidden
            self.hidden_output = self.sigmoid(self.hidden_activation)
            self.output_activation = np.dot(self.hidden_output, self.weights_hidden_output) + self.bias_output
            self.predicted_output = self.sigmoid(self.output_activation)
            return self.predicted_output

        def backward(self, X, y, learning_rate):
            output_error = y - self.predicted_output
            output_delta = output_error * self.sigmoid_derivative(self.predicted_output)
            hidden_error = np.dot(output_delta, self.weights_hidden_output.T)
            hidden_delta = hidden_error * self.sigmoid_derivative(self.hidden_output)
            self.weights_hidden_output += np.dot(self.hidden_output.T, output_delta) * learning_rate
            self.bias_output += np.sum(output_delta, axis=0, keepdims=True) * learning_rate
            self.weights_input_hidden += np.dot(X.T, hidden_delta) * learning_rate
            self.bias_hidden += np.sum(hidden_delta, axis=0, keepdims=True) * learning_rate

        def train(self, X, y, epochs, learning_rate):
            for epoch in range(epochs):
                output = self.feedforward(X)
                self.backward(X, y, learning_rate)
                if epoch % 4000 == 0:
                    loss = np.mean(np.square(y - output))
                    print(f"Epoch {epoch}, Loss:{loss}")

    X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    y = np.array([[0], [1], [1], [0]])
    nn = NeuralNetwork(input_size=2, hidden_size=4, output_size=1)
    nn.train(X, y, epochs=10000, learning_rate=0.1)
""")  # fmt: skip

add("class with lists", "rows", "tanh", "softmax", "cross-entropy", parameters="W1 b1 W2 b2 W3 b3", in_place=True,
    code="""
    import numpy as np

    class DeepNet:
        def __init__(self, layer_sizes, lr=0.05):
            self.lr = lr
            self.weights = []
            self.biases = []
            for i in range(len(layer_sizes) - 1):
                self.weights.append(np.random.randn(layer_sizes[i], layer_sizes[i + 1]) * 0.1)
                self.biases.append(np.zeros((1, layer_sizes[i + 1])))

        def forward(self, x):
            activations = [x]
            for i, (w, b) in enumerate(zip(self.weights, self.biases)):
                z = activations[-1] @ w + b
                if i == len(self.weights) - 1:
                    e = np.exp(z - z.max(axis=1, keepdims=True))
                    activations.append(e / e.sum(axis=1, keepdims=True))
                else:
                    activations.append(np.tanh(z))
            return activations

        def cross_entropy(self, y_pred, y_true):
            return -np.mean(np.sum(y_true * np.log(y_pred), axis=1))

        def backward(self, activations, y):
            m = y.shape[0]
            delta = (activations[-1] - y) / m
            for i in reversed(range(len(self.weights))):
                grad_w = activations[i].T @ delta
                grad_b = delta.sum(axis=0, keepdims=True)
                delta = (delta @ self.weights[i].T) * (1 - activations[i] ** 2)
                self.weights[i] -= self.lr * grad_w
                self.biases[i] -= self.lr * grad_b
""")  # fmt: skip

add("train_step of functions", "columns", "sigmoid", "softmax", "cross-entropy", in_place=True, code="""
    import numpy as np

    sigmoid = lambda z: 1 / (1 + np.exp(-z))

    def softmax(z):
        e = np.exp(z - z.max(axis=0, keepdims=True))
        return e / e.sum(axis=0, keepdims=True)

    def init_network(n_in, n_hidden, n_out):
        W1 = np.random.randn(n_hidden, n_in) * 0.1
        b1 = np.zeros((n_hidden, 1))
        W2 = np.random.randn(n_out, n_hidden) * 0.1
        b2 = np.zeros((n_out, 1))
        return W1, b1, W2, b2

    def predict(X, W1, b1, W2, b2):
        return softmax(W2 @ sigmoid(W1 @ X + b1) + b2)

    def loss_fn(Y_hat, Y):
        return -np.mean(np.sum(Y * np.log(Y_hat), axis=0))

    def train_step(X, Y, W1, b1, W2, b2, lr):
        m = X.shape[1]
        A1 = sigmoid(W1 @ X + b1)
        A2 = softmax(W2 @ A1 + b2)
        dZ2 = A2 - Y
        dZ1 = W2.T @ dZ2 * A1 * (1 - A1)
        W2 = W2 - lr * dZ2 @ A1.T / m
        b2 = b2 - lr * dZ2.mean(axis=1, keepdims=True)
        W1 = W1 - lr * dZ1 @ X.T / m
        b1 = b1 - lr * dZ1.mean(axis=1, keepdims=True)
        return W1, b1, W2, b2, loss_fn(A2, Y)
""")  # fmt: skip

add("no initialiser, rows", "rows", "relu", "sigmoid", "squared-error", factor=lambda m: float(m), code="""
    import numpy as np

    def sigmoid(z):
        return 1 / (1 + np.exp(-z))

    def forward(X, W1, b1, W2, b2):
        Z1 = X @ W1 + b1
        A1 = np.where(Z1 > 0, Z1, 0)
        Z2 = A1 @ W2 + b2
        Y_hat = sigmoid(Z2)
        return Y_hat, (Z1, A1)

    def cost(y, y_hat):
        return 0.5 * np.sum((y_hat - y) ** 2)

    def backprop(X, Y, Y_hat, cache, W2):
        Z1, A1 = cache
        dZ2 = (Y_hat - Y) * Y_hat * (1 - Y_hat)
        dZ1 = dZ2 @ W2.T * (Z1 > 0)
        return X.T @ dZ1, dZ1.sum(axis=0, keepdims=True), A1.T @ dZ2, dZ2.sum(axis=0, keepdims=True)
""")  # fmt: skip

add("lists as arguments", "columns", "sigmoid", "sigmoid", "squared-error", factor=lambda m: float(m),
    parameters="W1 b1 W2 b2 W3 b3", has_loss=False, code="""
    import numpy as np

    def sigmoid(z):
        return 1 / (1 + np.exp(-z))

    def forward(x, weights, biases):
        zs, activations = [], [x]
        for w, b in zip(weights, biases):
            zs.append(np.dot(w, activations[-1]) + b)
            activations.append(sigmoid(zs[-1]))
        return zs, activations

    def gradients(zs, activations, y, weights):
        grad_w, grad_b = [], []
        delta = (activations[-1] - y) * activations[-1] * (1 - activations[-1])
        for l in range(len(weights) - 1, -1, -1):
            grad_w.append(np.dot(delta, activations[l].T))
            grad_b.append(np.sum(delta, axis=1, keepdims=True))
            if l > 0:
                delta = np.dot(weights[l].T, delta) * activations[l] * (1 - activations[l])
        return grad_w, grad_b
""")  # fmt: skip

add("module's variables", "rows", "sigmoid", "sigmoid", "squared-error", factor=lambda m: float(m), in_place=True,
    has_loss=False, code="""
    import numpy as np

    X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    y = np.array([[0], [1], [1], [0]])
    learning_rate = 0.5
    W1 = np.random.rand(2, 3)
    b1 = np.zeros((1, 3))
    W2 = np.random.rand(3, 1)
    b2 = np.zeros((1, 1))

    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    def forward():
        global hidden, output
        hidden = sigmoid(X @ W1 + b1)
        output = sigmoid(hidden @ W2 + b2)
        return output

    def backward():
        global W1, b1, W2, b2
        d_out = (output - y) * output * (1 - output)
        d_hid = d_out @ W2.T * hidden * (1 - hidden)
        W2 -= learning_rate * hidden.T @ d_out
        b2 -= learning_rate * d_out.sum(axis=0, keepdims=True)
        W1 -= learning_rate * X.T @ d_hid
        b1 -= learning_rate * d_hid.sum(axis=0, keepdims=True)

    for i in range(10000):
        forward()
        backward()
""")  # fmt: skip

add("lists in, columns inside", "rows", "sigmoid", "sigmoid", "squared-error", factor=lambda m: float(m),
    parameters="W1 W2", in_place=True, has_loss=False, code="""
    import numpy
    import scipy.special

    class neuralNetwork:
        def __init__(self, inputnodes, hiddennodes, outputnodes, learningrate):
            self.inodes = inputnodes
            self.hnodes = hiddennodes
            self.onodes = outputnodes
            self.wih = numpy.random.normal(0.0, pow(self.inodes, -0.5), (self.hnodes, self.inodes))
            self.who = numpy.random.normal(0.0, pow(self.hnodes, -0.5), (self.onodes, self.hnodes))
            self.lr = learningrate
            self.activation_function = lambda x: scipy.special.expit(x)

        def train(self, inputs_list, targets_list):
            inputs = numpy.array(inputs_list, ndmin=2).T
            targets = numpy.array(targets_list, ndmin=2).T
            hidden_inputs = numpy.dot(self.wih, inputs)
            hidden_outputs = self.activation_function(hidden_inputs)
            final_inputs = numpy.dot(self.who, hidden_outputs)
            final_outputs = self.activation_function(final_inputs)
            output_errors = targets - final_outputs
            hidden_errors = numpy.dot(self.who.T, output_errors * final_outputs * (1.0 - final_outputs))
            self.who += self.lr * numpy.dot((output_errors * final_outputs * (1.0 - final_outputs)),
                                            numpy.transpose(hidden_outputs))
            self.wih += self.lr * numpy.dot((hidden_errors * hidden_outputs * (1.0 - hidden_outputs)),
                                            numpy.transpose(inputs))

        def query(self, inputs_list):
            inputs = numpy.array(inputs_list, ndmin=2).T
            hidden_inputs = numpy.dot(self.wih, inputs)
            hidden_outputs = self.activation_function(hidden_inputs)
            final_inputs = numpy.dot(self.who, hidden_outputs)
            return self.activation_function(final_inputs)

    input_nodes = 784
    n = neuralNetwork(input_nodes, 200, 10, 0.1)
    training_data_file = open("mnist_dataset/mnist_train.csv", 'r')
    for record in training_data_file.readlines():
        n.train(record, record)
""")  # fmt: skip

add("layers as objects", "rows", "relu", "identity", "squared-error", in_place=True,
    factor=lambda m: 1.0, code="""
    import numpy as np

    class Layer:
        def forward(self, x):
            raise NotImplementedError

    class Dense(Layer):
        def __init__(self, n_in, n_out):
            self.W = np.random.randn(n_in, n_out) * np.sqrt(2 / n_in)
            self.b = np.zeros((1, n_out))

        def forward(self, x):
            self.x = x
            return x @ self.W + self.b

        def backward(self, grad, lr):
            grad_in = grad @ self.W.T
            self.W -= lr * self.x.T @ grad
            self.b -= lr * grad.sum(axis=0, keepdims=True)
            return grad_in

    class ReLU(Layer):
        def forward(self, x):
            self.x = x
            return np.maximum(0, x)

        def backward(self, grad, lr):
            return grad * (self.x > 0)

    class Network:
        def __init__(self, n_in, n_hidden, n_out):
            self.layers = [Dense(n_in, n_hidden), ReLU(), Dense(n_hidden, n_out)]

        def forward(self, x):
            for layer in self.layers:
                x = layer.forward(x)
            return x

        def mse(self, pred, target):
            return 0.5 * np.sum((pred - target) ** 2) / len(target)

        def train_on_batch(self, x, y, lr):
            out = self.forward(x)
            grad = (out - y) / len(y)
            for layer in reversed(self.layers):
                grad = layer.backward(grad, lr)
            return self.mse(out, y)
""")  # fmt: skip

add("an architecture of dicts", "columns", "relu", "sigmoid", "binary-cross-entropy", parameters="W1 b1 W2 b2 W3 b3",
    code="""
    import numpy as np
    from sklearn.datasets import make_moons

    NN_ARCHITECTURE = [
        {"input_dim": 2, "output_dim": 5, "activation": "relu"},
        {"input_dim": 5, "output_dim": 4, "activation": "relu"},
        {"input_dim": 4, "output_dim": 1, "activation": "sigmoid"},
    ]

    def init_layers(nn_architecture, seed=99):
        np.random.seed(seed)
        params_values = {}
        for idx, layer in enumerate(nn_architecture):
            layer_idx = idx + 1
            params_values['W' + str(layer_idx)] = np.random.randn(layer["output_dim"], layer["input_dim"]) * 0.1
            params_values['b' + str(layer_idx)] = np.random.randn(layer["output_dim"], 1) * 0.1
        return params_values

    def sigmoid(Z):
        return 1 / (1 + np.exp(-Z))

    def relu(Z):
        return np.maximum(0, Z)

    def sigmoid_backward(dA, Z):
        sig = sigmoid(Z)
        return dA * sig * (1 - sig)

    def relu_backward(dA, Z):
        dZ = np.array(dA, copy=True)
        dZ[Z <= 0] = 0
        return dZ

    def single_layer_forward_propagation(A_prev, W_curr, b_curr, activation="relu"):
        Z_curr = np.dot(W_curr, A_prev) + b_curr
        if activation == "relu":
            activation_func = relu
        elif activation == "sigmoid":
            activation_func = sigmoid
        return activation_func(Z_curr), Z_curr

    def full_forward_propagation(X, params_values, nn_architecture):
        memory = {}
        A_curr = X
        for idx, layer in enumerate(nn_architecture):
            layer_idx = idx + 1
            A_prev = A_curr
            A_curr, Z_curr = single_layer_forward_propagation(
                A_prev, params_values["W" + str(layer_idx)], params_values["b" + str(layer_idx)], layer["activation"])
            memory["A" + str(idx)] = A_prev
            memory["Z" + str(layer_idx)] = Z_curr
        return A_curr, memory

    def get_cost_value(Y_hat, Y, eps=0.0):
        m = Y_hat.shape[1]
        cost = -1 / m * (np.dot(Y, np.log(Y_hat + eps).T) + np.dot(1 - Y, np.log(1 - Y_hat + eps).T))
        return np.squeeze(cost)

    def single_layer_backward_propagation(dA_curr, W_curr, b_curr, Z_curr, A_prev, activation="relu"):
        m = A_prev.shape[1]
        backward = relu_backward if activation == "relu" else sigmoid_backward
        dZ_curr = backward(dA_curr, Z_curr)
        return np.dot(W_curr.T, dZ_curr), np.dot(dZ_curr, A_prev.T) / m, np.sum(dZ_curr, axis=1, keepdims=True) / m

    def full_backward_propagation(Y_hat, Y, memory, params_values, nn_architecture):
        grads_values = {}
        Y = Y.reshape(Y_hat.shape)
        dA_prev = -(np.divide(Y, Y_hat) - np.divide(1 - Y, 1 - Y_hat))
        for layer_idx_prev, layer in reversed(list(enumerate(nn_architecture))):
            layer_idx_curr = layer_idx_prev + 1
            dA_curr = dA_prev
            dA_prev, dW_curr, db_curr = single_layer_backward_propagation(
                dA_curr, params_values["W" + str(layer_idx_curr)], params_values["b" + str(layer_idx_curr)],
                memory["Z" + str(layer_idx_curr)], memory["A" + str(layer_idx_prev)], layer["activation"])
            grads_values["dW" + str(layer_idx_curr)] = dW_curr
            grads_values["db" + str(layer_idx_curr)] = db_curr
        return grads_values

    def train(X, Y, nn_architecture, epochs, learning_rate):
        params_values = init_layers(nn_architecture, 2)
        for i in range(epochs):
            Y_hat, cashe = full_forward_propagation(X, params_values, nn_architecture)
            cost = get_cost_value(Y_hat, Y)
            grads_values = full_backward_propagation(Y_hat, Y, cashe, params_values, nn_architecture)
        return params_values

    params_values = train(X_train, y_train, NN_ARCHITECTURE, 10000, 0.01)
""")  # fmt: skip

add("gradient method with t", "rows", "sigmoid", "softmax", "cross-entropy", code="""
    import numpy as np

    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    def softmax(x):
        x = x - np.max(x, axis=-1, keepdims=True)
        return np.exp(x) / np.sum(np.exp(x), axis=-1, keepdims=True)

    def cross_entropy_error(y, t):
        if y.ndim == 1:
            t = t.reshape(1, t.size)
            y = y.reshape(1, y.size)
        if t.size == y.size:
            t = t.argmax(axis=1)
        batch_size = y.shape[0]
        return -np.sum(np.log(y[np.arange(batch_size), t] + 1e-15)) / batch_size

    def numerical_gradient(f, x):
        h = 1e-4
        grad = np.zeros_like(x)
        return grad

    class TwoLayerNet:
        def __init__(self, input_size, hidden_size, output_size, weight_init_std=0.01):
            self.params = {}
            self.params['W1'] = weight_init_std * np.random.randn(input_size, hidden_size)
            self.params['b1'] = np.zeros(hidden_size)
            self.params['W2'] = weight_init_std * np.random.randn(hidden_size, output_size)
            self.params['b2'] = np.zeros(output_size)

        def predict(self, x):
            W1, W2 = self.params['W1'], self.params['W2']
            b1, b2 = self.params['b1'], self.params['b2']
            a1 = np.dot(x, W1) + b1
            z1 = sigmoid(a1)
            a2 = np.dot(z1, W2) + b2
            y = softmax(a2)
            return y

        def loss(self, x, t):
            y = self.predict(x)
            return cross_entropy_error(y, t)

        def numerical_gradient(self, x, t):
            loss_W = lambda W: self.loss(x, t)
            grads = {}
            grads['W1'] = numerical_gradient(loss_W, self.params['W1'])
            return grads

        def gradient(self, x, t):
            W1, W2 = self.params['W1'], self.params['W2']
            b1, b2 = self.params['b1'], self.params['b2']
            grads = {}
            batch_num = x.shape[0]
            a1 = np.dot(x, W1) + b1
            z1 = sigmoid(a1)
            a2 = np.dot(z1, W2) + b2
            y = softmax(a2)
            dy = (y - t) / batch_num
            grads['W2'] = np.dot(z1.T, dy)
            grads['b2'] = np.sum(dy, axis=0)
            da1 = np.dot(dy, W2.T)
            dz1 = (1.0 - sigmoid(a1)) * sigmoid(a1) * da1
            grads['W1'] = np.dot(x.T, dz1)
            grads['b1'] = np.sum(dz1, axis=0)
            return grads
""", traces=True)  # fmt: skip

add("regression with linear output", "rows", "tanh", "identity", "squared-error", in_place=True,
    factor=lambda m: 2.0, code="""
    import numpy as np

    class Regressor:
        def __init__(self, n_features, n_hidden=16, n_outputs=1, alpha=0.001):
            self.alpha = alpha
            self.W1 = np.random.uniform(-1, 1, (n_features, n_hidden))
            self.b1 = np.zeros(n_hidden)
            self.W2 = np.random.uniform(-1, 1, (n_hidden, n_outputs))
            self.b2 = np.zeros(n_outputs)

        def forward(self, X):
            self.Z1 = X.dot(self.W1) + self.b1
            self.A1 = np.tanh(self.Z1)
            self.output = self.A1.dot(self.W2) + self.b2
            return self.output

        def mse_loss(self, y_true, y_pred):
            return np.sum((y_true - y_pred) ** 2) / y_true.shape[0]

        def backward(self, X, y, output):
            n = X.shape[0]
            d_out = 2 * (output - y) / n
            dW2 = self.A1.T.dot(d_out)
            db2 = np.sum(d_out, axis=0)
            d_hidden = d_out.dot(self.W2.T) * (1 - self.A1 ** 2)
            dW1 = X.T.dot(d_hidden)
            db1 = np.sum(d_hidden, axis=0)
            self.W1 -= self.alpha * dW1
            self.b1 -= self.alpha * db1
            self.W2 -= self.alpha * dW2
            self.b2 -= self.alpha * db2
""")  # fmt: skip

add("list of pairs", "columns", "relu", "softmax", "cross-entropy", parameters="W1 b1 W2 b2 W3 b3", code="""
    import numpy as np

    def init_mlp(sizes):
        return [(np.random.randn(n_out, n_in) * 0.1, np.zeros((n_out, 1))) for n_in, n_out in zip(sizes, sizes[1:])]

    def forward(params, X):
        cache, A = [], X
        for i, (W, b) in enumerate(params):
            Z = W @ A + b
            cache.append((A, Z))
            A = np.maximum(Z, 0) if i < len(params) - 1 else np.exp(Z) / np.exp(Z).sum(axis=0)
        return A, cache

    def nll(probs, Y):
        return -np.sum(Y * np.log(probs)) / Y.shape[1]

    def backward(params, cache, probs, Y):
        grads = []
        dZ = (probs - Y) / Y.shape[1]
        for i in reversed(range(len(params))):
            W, b = params[i]
            A_prev, _ = cache[i]
            grads.insert(0, (dZ @ A_prev.T, dZ.sum(axis=1, keepdims=True)))
            if i:
                dZ = (W.T @ dZ) * (cache[i - 1][1] > 0)
        return grads
""")  # fmt: skip

add("vectors", "columns", "sigmoid", "sigmoid", "squared-error", code="""
    import numpy as np

    def sigmoid(z):
        return 1 / (1 + np.exp(-z))

    def init_params(n_inputs, n_hidden, n_outputs):
        return {'W1': np.random.randn(n_hidden, n_inputs), 'b1': np.random.randn(n_hidden),
                'W2': np.random.randn(n_outputs, n_hidden), 'b2': np.random.randn(n_outputs)}

    def forward(x, params):
        h = sigmoid(np.dot(params['W1'], x) + params['b1'])
        y_hat = sigmoid(np.dot(params['W2'], h) + params['b2'])
        return h, y_hat

    def loss(y, y_hat):
        return 0.5 * np.sum((y - y_hat) ** 2)

    def backward(x, y, params):
        h, y_hat = forward(x, params)
        delta2 = (y_hat - y) * y_hat * (1 - y_hat)
        delta1 = np.dot(params['W2'].T, delta2) * h * (1 - h)
        return {'W1': np.outer(delta1, x), 'b1': delta1, 'W2': np.outer(delta2, h), 'b2': delta2}

    def train(X, Y, params, lr=0.1):
        for i in range(len(X)):
            grads = backward(X[i], Y[i], params)
            for k in params:
                params[k] -= lr * grads[k]
""")  # fmt: skip

add("dict and no initialiser", "columns", "tanh", "softmax", "cross-entropy", has_loss=False, code="""
    import numpy as np

    def softmax(z):
        z = z - z.max(axis=0)
        return np.exp(z) / np.exp(z).sum(axis=0)

    def forward_pass(params, X):
        cache = {"A0": X}
        cache["A1"] = np.tanh(params["W1"] @ X + params["b1"])
        cache["A2"] = softmax(params["W2"] @ cache["A1"] + params["b2"])
        return cache

    def backward_pass(params, cache, Y):
        m = Y.shape[1]
        dZ2 = cache["A2"] - Y
        dZ1 = params["W2"].T @ dZ2 * (1 - cache["A1"] ** 2)
        return {
            "dW1": dZ1 @ cache["A0"].T / m,
            "db1": dZ1.sum(axis=1, keepdims=True) / m,
            "dW2": dZ2 @ cache["A1"].T / m,
            "db2": dZ2.sum(axis=1, keepdims=True) / m,
        }
""")  # fmt: skip

add("gradients left in attributes", "rows", "relu", "softmax", "cross-entropy", code="""
    import numpy as np

    class Classifier:
        def __init__(self, n_inputs, n_hidden1, n_hidden2, n_classes):
            self.w1 = 0.1 * np.random.randn(n_inputs, n_hidden1)
            self.b1 = np.zeros((1, n_hidden1))
            self.w2 = 0.1 * np.random.randn(n_hidden1, n_hidden2)
            self.b2 = np.zeros((1, n_hidden2))
            self.w3 = 0.1 * np.random.randn(n_hidden2, n_classes)
            self.b3 = np.zeros((1, n_classes))

        def forward(self, inputs):
            self.inputs = inputs
            self.z1 = inputs @ self.w1 + self.b1
            self.a1 = np.maximum(0, self.z1)
            self.z2 = self.a1 @ self.w2 + self.b2
            self.a2 = np.maximum(0, self.z2)
            self.z3 = self.a2 @ self.w3 + self.b3
            exp = np.exp(self.z3 - np.max(self.z3, axis=1, keepdims=True))
            self.probs = exp / np.sum(exp, axis=1, keepdims=True)
            return self.probs

        def calculate_loss(self, y):
            samples = len(self.probs)
            return -np.mean(np.log(self.probs[range(samples), y]))

        def backward(self, y):
            samples = len(self.probs)
            dz3 = self.probs.copy()
            dz3[range(samples), y] -= 1
            dz3 /= samples
            self.dw3 = self.a2.T @ dz3
            self.db3 = np.sum(dz3, axis=0, keepdims=True)
            dz2 = dz3 @ self.w3.T
            dz2[self.z2 <= 0] = 0
            self.dw2 = self.a1.T @ dz2
            self.db2 = np.sum(dz2, axis=0, keepdims=True)
            dz1 = dz2 @ self.w2.T
            dz1[self.z1 <= 0] = 0
            self.dw1 = self.inputs.T @ dz1
            self.db1 = np.sum(dz1, axis=0, keepdims=True)

        def update(self, lr):
            for k in '123':
                setattr(self, 'w' + k, getattr(self, 'w' + k) - lr * getattr(self, 'dw' + k))
                setattr(self, 'b' + k, getattr(self, 'b' + k) - lr * getattr(self, 'db' + k))
""", parameters="W1 b1 W2 b2 W3 b3")  # fmt: skip

add("weight decay", "columns", "relu", "sigmoid", "binary-cross-entropy", decay=0.7, code="""
    import numpy as np

    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    def relu(x):
        return np.maximum(0, x)

    def initialize_parameters(layer_dims):
        parameters = {}
        for l in range(1, len(layer_dims)):
            parameters[f"W{l}"] = np.random.randn(layer_dims[l], layer_dims[l - 1]) * 0.1
            parameters[f"b{l}"] = np.zeros((layer_dims[l], 1))
        return parameters

    def forward_propagation(X, parameters):
        Z1 = np.dot(parameters["W1"], X) + parameters["b1"]
        A1 = relu(Z1)
        Z2 = np.dot(parameters["W2"], A1) + parameters["b2"]
        A2 = sigmoid(Z2)
        return A2, (Z1, A1, parameters["W1"], parameters["b1"], Z2, A2, parameters["W2"], parameters["b2"])

    def compute_cost(A2, Y):
        m = Y.shape[1]
        return 1 / m * np.nansum(np.multiply(-np.log(A2), Y) + np.multiply(-np.log(1 - A2), 1 - Y))

    def compute_cost_with_regularization(A2, Y, parameters, lambd):
        m = Y.shape[1]
        penalty = sum(np.sum(np.square(parameters[k])) for k in ("W1", "W2"))
        return compute_cost(A2, Y) + lambd / (2 * m) * penalty

    def backward_propagation_with_regularization(X, Y, cache, lambd):
        m = X.shape[1]
        (Z1, A1, W1, b1, Z2, A2, W2, b2) = cache
        dZ2 = A2 - Y
        dW2 = 1. / m * np.dot(dZ2, A1.T) + lambd / m * W2
        db2 = 1. / m * np.sum(dZ2, axis=1, keepdims=True)
        dA1 = np.dot(W2.T, dZ2)
        dZ1 = np.multiply(dA1, np.int64(A1 > 0))
        dW1 = 1. / m * np.dot(dZ1, X.T) + lambd / m * W1
        db1 = 1. / m * np.sum(dZ1, axis=1, keepdims=True)
        gradients = {"dZ2": dZ2, "dW2": dW2, "db2": db2, "dA1": dA1, "dZ1": dZ1, "dW1": dW1, "db1": db1}
        return gradients

    def update_parameters(parameters, grads, learning_rate):
        return {k: parameters[k] - learning_rate * grads["d" + k] for k in parameters}

    def model(X, Y, learning_rate=0.3, lambd=0.7):
        parameters = initialize_parameters([X.shape[0], 20, 1])
        a, cache = forward_propagation(X, parameters)
        cost = compute_cost_with_regularization(a, Y, parameters, lambd)
        grads = backward_propagation_with_regularization(X, Y, cache, lambd)
        return update_parameters(parameters, grads, learning_rate)
""")  # fmt: skip

add("data and labels in the constructor", "columns", "relu", "softmax", "cross-entropy", in_place=True, code="""
    import numpy as np

    class NN():
        def __init__(self, X, y, lr=0.1, hidden=32):
            self.X = X
            self.y = y
            self.m = X.shape[1]
            self.lr = lr
            self.classes = int(np.max(y)) + 1
            self.Y = np.eye(self.classes)[y].T
            self.init_weights(hidden)

        def init_weights(self, hidden):
            self.W1 = np.random.randn(hidden, self.X.shape[0]) * 0.1
            self.b1 = np.zeros((hidden, 1))
            self.W2 = np.random.randn(self.classes, hidden) * 0.1
            self.b2 = np.zeros((self.classes, 1))

        def forward(self):
            self.Z1 = np.dot(self.W1, self.X) + self.b1
            self.A1 = np.maximum(self.Z1, 0)
            self.Z2 = np.dot(self.W2, self.A1) + self.b2
            expZ = np.exp(self.Z2 - np.max(self.Z2, axis=0))
            self.A2 = expZ / np.sum(expZ, axis=0)

        def loss(self):
            return -np.sum(self.Y * np.log(self.A2)) / self.m

        def backward(self):
            dZ2 = (self.A2 - self.Y) / self.m
            dZ1 = np.dot(self.W2.T, dZ2) * (self.Z1 > 0)
            self.W2 = self.W2 - self.lr * np.dot(dZ2, self.A1.T)
            self.b2 = self.b2 - self.lr * np.sum(dZ2, axis=1, keepdims=True)
            self.W1 = self.W1 - self.lr * np.dot(dZ1, self.X.T)
            self.b1 = self.b1 - self.lr * np.sum(dZ1, axis=1, keepdims=True)
""")  # fmt: skip

add("float32, and a loss of integers", "rows", "relu", "softmax", "cross-entropy", code="""
    from typing import Tuple
    import numpy as np
    import numpy.typing as npt

    N_CLASSES = 3

    def one_hot(labels, n_classes=N_CLASSES):
        out = np.zeros((labels.shape[0], n_classes), dtype=np.float32)
        out[np.arange(labels.shape[0]), labels] = 1.0
        return out

    def init(input_dim: int, hidden_dim: int, num_classes: int) -> Tuple[npt.NDArray, ...]:
        w1 = np.random.randn(input_dim, hidden_dim).astype(np.float32) * 0.01
        b1 = np.zeros(hidden_dim, dtype=np.float32)
        w2 = np.random.randn(hidden_dim, num_classes).astype(np.float32) * 0.01
        b2 = np.zeros(num_classes, dtype=np.float32)
        return w1, b1, w2, b2

    def forward(x: npt.NDArray, w1, b1, w2, b2):
        h_pre = x.astype(np.float32) @ w1 + b1
        h = np.maximum(h_pre, 0)
        logits = h @ w2 + b2
        logits = logits - logits.max(axis=1, keepdims=True)
        probs = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        return probs, h, h_pre

    def cross_entropy(probs, labels):
        n = probs.shape[0]
        return -np.log(probs[np.arange(n), labels]).mean()

    def backward(x, labels, probs, h, h_pre, w2):
        n = x.shape[0]
        dlogits = (probs - one_hot(labels)) / n
        dw2 = h.T @ dlogits
        db2 = dlogits.sum(axis=0)
        dh = dlogits @ w2.T
        dh_pre = dh * (h_pre > 0).astype(float)
        dw1 = x.T @ dh_pre
        db1 = dh_pre.sum(axis=0)
        return dw1, db1, dw2, db2
""")  # fmt: skip

add("four layers by name", "columns", "leaky", "softmax", "cross-entropy",
    parameters="W1 b1 W2 b2 W3 b3 W4 b4", has_loss=False, code="""
    import numpy as np
    from tqdm import tqdm

    ALPHA = 0.01

    def leaky_relu(z):
        return np.where(z > 0, z, z * ALPHA)

    def d_leaky_relu(z):
        dz = np.ones_like(z)
        dz[z < 0] = ALPHA
        return dz

    def soft_max(z):
        shifted = z - np.max(z, axis=0, keepdims=True)
        return np.exp(shifted) / np.sum(np.exp(shifted), axis=0, keepdims=True)

    def initialize(n0, n1, n2, n3, n4):
        p = []
        for a, b in ((n0, n1), (n1, n2), (n2, n3), (n3, n4)):
            p += [np.random.randn(b, a), np.zeros((b, 1))]
        W1, b1, W2, b2, W3, b3, W4, b4 = p
        return W1, b1, W2, b2, W3, b3, W4, b4

    def forward_propagation(X, W1, b1, W2, b2, W3, b3, W4, b4):
        Z1 = W1 @ X + b1
        A1 = leaky_relu(Z1)
        Z2 = W2 @ A1 + b2
        A2 = leaky_relu(Z2)
        Z3 = W3 @ A2 + b3
        A3 = leaky_relu(Z3)
        Z4 = W4 @ A3 + b4
        A4 = soft_max(Z4)
        return Z1, A1, Z2, A2, Z3, A3, Z4, A4

    def back_propagation(Z1, A1, Z2, A2, Z3, A3, A4, W2, W3, W4, X, Y, m):
        dZ4 = A4 - Y
        dW4 = dZ4 @ A3.T / m
        db4 = np.sum(dZ4, axis=1, keepdims=True) / m
        dZ3 = W4.T @ dZ4 * d_leaky_relu(Z3)
        dW3 = dZ3 @ A2.T / m
        db3 = np.sum(dZ3, axis=1, keepdims=True) / m
        dZ2 = W3.T @ dZ3 * d_leaky_relu(Z2)
        dW2 = dZ2 @ A1.T / m
        db2 = np.sum(dZ2, axis=1, keepdims=True) / m
        dZ1 = W2.T @ dZ2 * d_leaky_relu(Z1)
        dW1 = dZ1 @ X.T / m
        db1 = np.sum(dZ1, axis=1, keepdims=True) / m
        return dW4, db4, dW3, db3, dW2, db2, dW1, db1

    for epoch in tqdm(range(100)):
        Z1, A1, Z2, A2, Z3, A3, Z4, A4 = forward_propagation(X, W1, b1, W2, b2, W3, b3, W4, b4)
""")  # fmt: skip

add("one-layer softmax", "rows", "", "softmax", "cross-entropy", parameters="W1 b1", code="""
    import numpy as np

    class SoftmaxRegression:
        def __init__(self, n_features, n_classes):
            self.W = np.zeros((n_features, n_classes))
            self.b = np.zeros(n_classes)

        def predict_proba(self, X):
            z = X @ self.W + self.b
            z -= z.max(axis=1, keepdims=True)
            e = np.exp(z)
            return e / e.sum(axis=1, keepdims=True)

        def loss(self, X, Y):
            return -np.mean(np.sum(Y * np.log(self.predict_proba(X)), axis=1))

        def gradients(self, X, Y):
            p = self.predict_proba(X)
            dW = X.T @ (p - Y) / X.shape[0]
            db = np.mean(p - Y, axis=0)
            return dW, db

        def fit(self, X, Y, lr=0.1, epochs=100):
            for _ in range(epochs):
                dW, db = self.gradients(X, Y)
                self.W -= lr * dW
                self.b -= lr * db
""")  # fmt: skip

add("weights transposed in rows", "rows", "sigmoid", "sigmoid", "binary-cross-entropy", code="""
    import numpy as np

    class Net:
        def __init__(self, n_input, n_hidden, n_output):
            self.W1 = np.random.randn(n_hidden, n_input)
            self.b1 = np.random.randn(n_hidden)
            self.W2 = np.random.randn(n_output, n_hidden)
            self.b2 = np.random.randn(n_output)

        def sigmoid(self, z):
            return 1 / (1 + np.exp(-z))

        def forward(self, X):
            self.A1 = self.sigmoid(X @ self.W1.T + self.b1)
            self.A2 = self.sigmoid(self.A1 @ self.W2.T + self.b2)
            return self.A2

        def bce(self, y_hat, y):
            return -(y * np.log(y_hat) + (1 - y) * np.log(1 - y_hat)).sum(axis=1).mean()

        def backward(self, X, y):
            m = X.shape[0]
            delta2 = (self.A2 - y) / m
            delta1 = delta2 @ self.W2 * self.A1 * (1 - self.A1)
            self.grads = {'W1': delta1.T @ X, 'b1': delta1.sum(axis=0),
                          'W2': delta2.T @ self.A1, 'b2': delta2.sum(axis=0)}

        def update(self, lr):
            self.W1 -= lr * self.grads['W1']
            self.b1 -= lr * self.grads['b1']
            self.W2 -= lr * self.grads['W2']
            self.b2 -= lr * self.grads['b2']
""")  # fmt: skip

add("dicts with layers as keys", "columns", "sigmoid", "sigmoid", "binary-cross-entropy",
    parameters="W1 b1 W2 b2 W3 b3", has_loss=False, code="""
    import numpy as np

    class NN:
        def __init__(self, dims, lr=0.1):
            self.L = len(dims) - 1
            self.lr = lr
            self.W = {}
            self.b = {}
            for l in range(1, self.L + 1):
                self.W[l] = np.random.randn(dims[l], dims[l - 1])
                self.b[l] = np.zeros((dims[l], 1))

        def sigmoid(self, z):
            return 1 / (1 + np.exp(-z))

        def forward(self, X):
            self.Z = {}
            self.A = {0: X}
            for l in range(1, self.L + 1):
                self.Z[l] = self.W[l] @ self.A[l - 1] + self.b[l]
                self.A[l] = self.sigmoid(self.Z[l])
            return self.A[self.L]

        def backward(self, Y):
            m = Y.shape[1]
            dW, db = {}, {}
            delta = self.A[self.L] - Y
            for l in range(self.L, 0, -1):
                dW[l] = delta @ self.A[l - 1].T / m
                db[l] = delta.sum(axis=1, keepdims=True) / m
                if l > 1:
                    delta = self.W[l].T @ delta * self.A[l - 1] * (1 - self.A[l - 1])
            return dW, db
""")  # fmt: skip

add("a dict updated in place", "columns", "sigmoid", "sigmoid", "binary-cross-entropy",
    has_loss=False, in_place=True, code="""
    import numpy as np

    def sigmoid(z):
        return 1 / (1 + np.exp(-z))

    def init_params(nx, nh, ny):
        return {
            "W1": np.random.randn(nh, nx),
            "b1": np.zeros((nh, 1)),
            "W2": np.random.randn(ny, nh),
            "b2": np.zeros((ny, 1)),
        }

    def forward(X, params):
        Z1 = np.dot(params["W1"], X) + params["b1"]
        A1 = sigmoid(Z1)
        Z2 = np.dot(params["W2"], A1) + params["b2"]
        A2 = sigmoid(Z2)
        return {"Z1": Z1, "A1": A1, "Z2": Z2, "A2": A2}

    def backprop(X, Y, cache, params, alpha):
        m = X.shape[1]
        dZ2 = cache["A2"] - Y
        dW2 = np.dot(dZ2, cache["A1"].T) / m
        db2 = np.sum(dZ2, axis=1, keepdims=True) / m
        dZ1 = np.dot(params["W2"].T, dZ2) * cache["A1"] * (1 - cache["A1"])
        dW1 = np.dot(dZ1, X.T) / m
        db1 = np.sum(dZ1, axis=1, keepdims=True) / m
        params["W1"] -= alpha * dW1
        params["b1"] -= alpha * db1
        params["W2"] -= alpha * dW2
        params["b2"] -= alpha * db2
        return params
""")  # fmt: skip

add("a dataclass", "rows", "tanh", "identity", "squared-error",
    has_loss=False, code="""
    from dataclasses import dataclass
    import numpy as np

    @dataclass
    class Params:
        W1: np.ndarray
        b1: np.ndarray
        W2: np.ndarray
        b2: np.ndarray

    def init_params(n_in, n_hidden, n_out, rng=np.random.default_rng(0)):
        return Params(
            rng.normal(size=(n_in, n_hidden)),
            np.zeros(n_hidden),
            rng.normal(size=(n_hidden, n_out)),
            np.zeros(n_out),
        )

    def forward(params, X):
        h = np.tanh(X @ params.W1 + params.b1)
        return h @ params.W2 + params.b2, h

    def backward(params, X, Y):
        y_hat, h = forward(params, X)
        e = (y_hat - Y) / len(X)
        dh = e @ params.W2.T * (1 - h * h)
        return Params(X.T @ dh, dh.sum(0), h.T @ e, e.sum(0))
""")  # fmt: skip

add("loops over names with the depth", "columns", "relu", "softmax", "cross-entropy",
    parameters="W1 b1 W2 b2 W3 b3", code="""
    import numpy as np

    layers = [784, 64, 32, 10]

    def init_parameters(layers):
        p = {}
        for i in range(1, len(layers)):
            p[f"W{i}"] = np.random.randn(layers[i], layers[i - 1]) * np.sqrt(2 / layers[i - 1])
            p[f"b{i}"] = np.zeros((layers[i], 1))
        return p

    def relu(z):
        return np.maximum(0, z)

    def softmax(z):
        e = np.exp(z - np.max(z, axis=0, keepdims=True))
        return e / np.sum(e, axis=0, keepdims=True)

    def forward(X, p, L):
        cache = {"A0": X}
        for i in range(1, L):
            cache[f"Z{i}"] = p[f"W{i}"] @ cache[f"A{i - 1}"] + p[f"b{i}"]
            cache[f"A{i}"] = relu(cache[f"Z{i}"])
        cache[f"Z{L}"] = p[f"W{L}"] @ cache[f"A{L - 1}"] + p[f"b{L}"]
        cache[f"A{L}"] = softmax(cache[f"Z{L}"])
        return cache

    def cross_entropy(A, Y):
        return -np.sum(Y * np.log(A)) / Y.shape[1]

    def backward(p, cache, Y, L):
        m = Y.shape[1]
        g = {}
        dZ = cache[f"A{L}"] - Y
        for i in range(L, 0, -1):
            g[f"dW{i}"] = dZ @ cache[f"A{i - 1}"].T / m
            g[f"db{i}"] = np.sum(dZ, axis=1, keepdims=True) / m
            if i > 1:
                dZ = p[f"W{i}"].T @ dZ * (cache[f"Z{i - 1}"] > 0)
        return g
""")  # fmt: skip

add("gradients returned as dJdW", "rows", "sigmoid", "sigmoid", "squared-error",
    parameters="W1 W2", factor=lambda m: float(m), code="""
    import numpy as np

    class Neural_Network(object):
        def __init__(self, Lambda=0):
            self.inputLayerSize = 2
            self.outputLayerSize = 1
            self.hiddenLayerSize = 3
            self.W1 = np.random.randn(self.inputLayerSize, self.hiddenLayerSize)
            self.W2 = np.random.randn(self.hiddenLayerSize, self.outputLayerSize)
            self.Lambda = Lambda

        def forward(self, X):
            self.z2 = np.dot(X, self.W1)
            self.a2 = self.sigmoid(self.z2)
            self.z3 = np.dot(self.a2, self.W2)
            yHat = self.sigmoid(self.z3)
            return yHat

        def sigmoid(self, z):
            return 1 / (1 + np.exp(-z))

        def sigmoidPrime(self, z):
            return np.exp(-z) / ((1 + np.exp(-z)) ** 2)

        def costFunction(self, X, y):
            self.yHat = self.forward(X)
            J = 0.5 * sum((y - self.yHat) ** 2)
            return J

        def costFunctionPrime(self, X, y):
            self.yHat = self.forward(X)
            delta3 = np.multiply(-(y - self.yHat), self.sigmoidPrime(self.z3))
            dJdW2 = np.dot(self.a2.T, delta3)
            delta2 = np.dot(delta3, self.W2.T) * self.sigmoidPrime(self.z2)
            dJdW1 = np.dot(X.T, delta2)
            return dJdW1, dJdW2

        def getParams(self):
            return np.concatenate((self.W1.ravel(), self.W2.ravel()))

        def computeGradients(self, X, y):
            dJdW1, dJdW2 = self.costFunctionPrime(X, y)
            return np.concatenate((dJdW1.ravel(), dJdW2.ravel()))
""")  # fmt: skip

add("a derived class", "rows", "sigmoid", "identity", "squared-error",
    has_loss=False, in_place=True, code="""
    import numpy as np

    class Base:
        def __init__(self, n_inputs, n_hidden, n_outputs):
            self.W1 = np.random.randn(n_inputs, n_hidden)
            self.b1 = np.zeros(n_hidden)
            self.W2 = np.random.randn(n_hidden, n_outputs)
            self.b2 = np.zeros(n_outputs)

        def forward(self, X):
            raise NotImplementedError

    class Net(Base):
        def __init__(self, n_inputs, n_hidden, n_outputs, lr=0.3):
            super().__init__(n_inputs, n_hidden, n_outputs)
            self.lr = lr

        def forward(self, X):
            self.h = 1 / (1 + np.exp(-(X @ self.W1 + self.b1)))
            return self.h @ self.W2 + self.b2

        def backward(self, X, target, output):
            err = (output - target) / len(X)
            dh = err @ self.W2.T * self.h * (1 - self.h)
            self.W2 -= self.lr * self.h.T @ err
            self.b2 -= self.lr * err.sum(0)
            self.W1 -= self.lr * X.T @ dh
            self.b1 -= self.lr * dh.sum(0)
""")  # fmt: skip

add("assignment into arrays", "columns", "sigmoid", "sigmoid", "binary-cross-entropy",
    has_loss=False, traces=False, code="""
    import numpy as np

    def sig(z):
        out = np.zeros(z.shape)
        out[:] = 1 / (1 + np.exp(-z))
        return out

    def initialize_parameters(n_x, n_h, n_y):
        return {
            "W1": np.random.randn(n_h, n_x),
            "b1": np.zeros((n_h, 1)),
            "W2": np.random.randn(n_y, n_h),
            "b2": np.zeros((n_y, 1)),
        }

    def forward_propagation(X, parameters):
        A1 = sig(parameters["W1"] @ X + parameters["b1"])
        A2 = sig(parameters["W2"] @ A1 + parameters["b2"])
        return A2, {"A1": A1, "A2": A2}

    def backward_propagation(X, Y, parameters, cache):
        m = X.shape[1]
        dZ2 = cache["A2"] - Y
        dZ1 = parameters["W2"].T @ dZ2 * cache["A1"] * (1 - cache["A1"])
        return {
            "dW1": dZ1 @ X.T / m,
            "db1": dZ1.sum(1, keepdims=True) / m,
            "dW2": dZ2 @ cache["A1"].T / m,
            "db2": dZ2.sum(1, keepdims=True) / m,
        }
""")  # fmt: skip
