"""MNIST to 97.5 % with Keras on JAX: 784-128-10, Adam, cosine schedule, cross-entropy. The argument is the seed."""
# pyright: reportMissingImports=false

import os
import sys

os.environ["KERAS_BACKEND"] = "jax"
import keras
from mnist import load

EPOCHS, BATCH, RATE = 3, 128, 0.01

keras.utils.set_random_seed(int(sys.argv[1]))
(X_train, y_train), (X_test, y_test) = load("train"), load("t10k")
dense = keras.layers.Dense
model = keras.Sequential([keras.Input((784,)), dense(128, activation="relu"), dense(10, activation="softmax")])
schedule = keras.optimizers.schedules.CosineDecay(RATE, EPOCHS * (len(X_train) // BATCH + 1))
model.compile(
    keras.optimizers.Adam(schedule), "sparse_categorical_crossentropy", jit_compile=True, steps_per_execution=10
)
for epoch in range(EPOCHS):
    model.fit(X_train, y_train, batch_size=BATCH, verbose=0)
    accuracy = (model.predict(X_test, batch_size=1000, verbose=0).argmax(axis=1) == y_test).mean()
    print(f"epoch {epoch + 1}: {accuracy:.2%}")
    if accuracy >= 0.975:
        break
