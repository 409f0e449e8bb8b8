"""Trains digits: a small convolutional network for scikit-learn's 8x8 digits; writes models/digits/model.tflite."""

import os

os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"

import numpy as np
import tensorflow as tf

from common import DIGITS_TRAIN, convert_int8, digits, make_deterministic, save_model

make_deterministic(1)
grey, labels = digits()
images = (grey / 255).astype(np.float32)[..., None]
train, held_out = images[:DIGITS_TRAIN], images[DIGITS_TRAIN:]

# Every training image also moved by one pixel in each of the four directions.
padded = np.pad(train, [(0, 0), (1, 1), (1, 1), (0, 0)])
moves = [(1, 1), (0, 1), (2, 1), (1, 0), (1, 2)]
augmented = np.concatenate([padded[:, y : y + 8, x : x + 8] for y, x in moves])
augmented_labels = np.tile(labels[:DIGITS_TRAIN], len(moves))

L = tf.keras.layers
x = inputs = tf.keras.Input([8, 8, 1])
x = skip = L.Conv2D(12, 3, padding="same", activation="relu")(x)
x = L.DepthwiseConv2D(3, padding="same", activation="relu")(x)
x = L.Conv2D(12, 1)(x)
x = L.ReLU()(L.Add()([skip, x]))
x = L.MaxPool2D(2)(x)
x = L.Conv2D(20, 3, padding="same", activation="relu")(x)
x = L.AveragePooling2D(2)(x)
x = L.Reshape([80])(x)
x = L.Dense(10)(x)
model = tf.keras.Model(inputs, L.Softmax()(x))

epochs, batch = 40, 64
rate = tf.keras.optimizers.schedules.CosineDecay(0.005, epochs * -(-len(augmented) // batch))
# Smoothed labels keep the softmax off its ends: saturated outputs would prove little as goldens.
loss = tf.keras.losses.CategoricalCrossentropy(label_smoothing=0.1)
model.compile(tf.keras.optimizers.AdamW(rate, weight_decay=0.01), loss)
model.fit(augmented, np.eye(10, dtype=np.float32)[augmented_labels], epochs=epochs, batch_size=batch, verbose=0)
correct = int((model.predict(held_out, verbose=0).argmax(1) == labels[DIGITS_TRAIN:]).sum())

save_model("digits", convert_int8(model, [8, 8, 1], train[:500]), {
    "script": "scripts/train_digits.py",
    "tensorflow": tf.__version__,
    "parameters": model.count_params(),
    "float_held_out_correct": correct,
    "held_out": len(held_out),
})
