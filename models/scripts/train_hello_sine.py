"""Trains hello_sine: a dense 1-16-16-1 network for sin(x), x in 0..2 pi; writes models/hello_sine/model.tflite."""

import os

os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"

import numpy as np
import tensorflow as tf

from common import convert_int8, make_deterministic, save_model

make_deterministic(1)
rng = np.random.default_rng(1)
train = rng.uniform(0, 2 * np.pi, (1000, 1)).astype(np.float32)
held_out = rng.uniform(0, 2 * np.pi, (1000, 1)).astype(np.float32)

# With all biases 0 every ReLU would bend at x = 0 only, and training gets stuck.
biases = tf.keras.initializers.RandomUniform(-1, 1)
model = tf.keras.Sequential([
    tf.keras.Input([1]),
    tf.keras.layers.Dense(16, "relu", bias_initializer=biases),
    tf.keras.layers.Dense(16, "relu", bias_initializer=biases),
    tf.keras.layers.Dense(1),
])
rate = tf.keras.optimizers.schedules.CosineDecay(0.003, 300 * 63)
model.compile(tf.keras.optimizers.Adam(rate), "mse")
model.fit(train, np.sin(train), epochs=300, batch_size=16, verbose=0)
error = np.abs(model.predict(held_out, verbose=0) - np.sin(held_out))

# Both ends of the range are in the representative data: scale 2 pi / 255, zero point -128.
representative = np.concatenate([np.float32([[0], [2 * np.pi]]), train])
save_model("hello_sine", convert_int8(model, [1], representative), {
    "script": "scripts/train_hello_sine.py",
    "tensorflow": tf.__version__,
    "parameters": model.count_params(),
    "float_mean_abs_error": round(float(error.mean()), 5),
    "float_max_abs_error": round(float(error.max()), 5),
})
