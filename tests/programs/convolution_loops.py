"""A convolutional network with loops, one image at a time: convolution, ReLU, a dense layer, softmax."""
import numpy as np


class Conv:
    # A convolution layer using 3x3 filters, no padding.

    def __init__(self, num_filters):
        self.num_filters = num_filters
        self.filters = np.random.randn(num_filters, 3, 3) / 3
        self.bias = np.zeros(num_filters)

    def iterate_regions(self, image):
        h, w = image.shape
        for i in range(h - 2):
            for j in range(w - 2):
                yield image[i:(i + 3), j:(j + 3)], i, j

    def forward(self, input):
        self.last_input = input
        h, w = input.shape
        output = np.zeros((h - 2, w - 2, self.num_filters))
        for im_region, i, j in self.iterate_regions(input):
            output[i, j] = np.sum(im_region * self.filters, axis=(1, 2)) + self.bias
        self.last_output = output
        return np.maximum(output, 0)

    def backprop(self, d_L_d_out, learn_rate):
        d_out = d_L_d_out * (self.last_output > 0)
        d_L_d_filters = np.zeros(self.filters.shape)
        for im_region, i, j in self.iterate_regions(self.last_input):
            for f in range(self.num_filters):
                d_L_d_filters[f] += d_out[i, j, f] * im_region  # wrong: d_L_d_filters[f] += d_out[j, i, f] * im_region  # wrong: d_L_d_filters[f] = d_out[i, j, f] * im_region
        d_L_d_bias = d_out.sum(axis=(0, 1))  # wrong: d_L_d_bias = d_out.mean(axis=(0, 1))
        self.gradients = d_L_d_filters, d_L_d_bias
        # gradients: loss, dict(filters=d_L_d_filters, bias=d_L_d_bias, weights=softmax.gradients[0], biases=softmax.gradients[1])
        self.filters = self.filters - learn_rate * d_L_d_filters
        self.bias = self.bias - learn_rate * d_L_d_bias


class Softmax:
    # A standard fully-connected layer with softmax activation.

    def __init__(self, input_len, nodes):
        self.weights = np.random.randn(input_len, nodes) / input_len
        self.biases = np.zeros(nodes)

    def forward(self, input):
        self.last_input_shape = input.shape
        input = input.flatten()
        self.last_input = input
        totals = np.dot(input, self.weights) + self.biases
        self.last_totals = totals
        exp = np.exp(totals)
        return exp / np.sum(exp, axis=0)

    def backprop(self, d_L_d_out, learn_rate):
        for i, gradient in enumerate(d_L_d_out):
            if gradient == 0:
                continue
            t_exp = np.exp(self.last_totals)
            S = np.sum(t_exp)
            d_out_d_t = -t_exp[i] * t_exp / (S ** 2)
            d_out_d_t[i] = t_exp[i] * (S - t_exp[i]) / (S ** 2)
            d_L_d_t = gradient * d_out_d_t  # wrong: d_L_d_t = gradient * np.abs(d_out_d_t)
            d_L_d_w = self.last_input[:, np.newaxis] @ d_L_d_t[np.newaxis]
            d_L_d_inputs = self.weights @ d_L_d_t  # wrong: d_L_d_inputs = self.weights @ (d_L_d_t / t_exp)
            self.gradients = d_L_d_w, d_L_d_t
            self.weights = self.weights - learn_rate * d_L_d_w
            self.biases = self.biases - learn_rate * d_L_d_t
            return d_L_d_inputs.reshape(self.last_input_shape)


np.random.seed(5)
train_images = np.random.rand(60, 8, 8)
train_labels = np.arange(60) % 3
for image, label in zip(train_images, train_labels):
    image[label * 2:label * 2 + 3] += 0.7  # a bright stripe

conv = Conv(4)
softmax = Softmax(6 * 6 * 4, 3)
total = 0
for i, (im, label) in enumerate(zip(train_images, train_labels)):
    # parameters: dict(filters=conv.filters, bias=conv.bias, weights=softmax.weights, biases=softmax.biases)
    out = softmax.forward(conv.forward(im - 0.5))
    loss = -np.log(out[label])
    total += loss
    gradient = np.zeros(3)
    gradient[label] = -1 / out[label]
    gradient = softmax.backprop(gradient, 0.02)
    conv.backprop(gradient, 0.02)
    if i % 20 == 19:
        print('[Step %d] average loss %.3f' % (i + 1, total / (i + 1)))
