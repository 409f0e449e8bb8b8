"""What the scripts in this folder share: paths, the digits and their split, the random bytes."""

import json
import pathlib

MODELS = pathlib.Path(__file__).resolve().parent.parent

# The first 1437 of scikit-learn's 1797 digits (four fifths) are for training, the rest is held out.
# The samples are stored writer after writer, so most held-out digits are by writers never trained on.
DIGITS_TRAIN = 1437


def digits():
    """(grey, labels): all 1797 digits as uint8 [n, 8, 8] greyscale 0..255, and their true classes.

    The data set counts 0..16; grey = floor((count * 255 + 8) / 16), and round(grey * 16 / 255) gives the
    count back. Networks see grey / 255, so with scale 1/255 and zero point -128 the int8 input is grey - 128.
    """
    import numpy as np
    from sklearn.datasets import load_digits

    data = load_digits()
    count = data.images.astype(np.int64)
    grey = (count * 255 + 8) // 16
    assert np.array_equal(np.rint(grey * 16 / 255), count)
    return grey.astype(np.uint8), data.target.astype(int)


def xorshift32(seed, count):
    """`count` bytes: x ^= x << 13; x ^= x >> 17; x ^= x << 5; byte = low 8 bits. Returns (bytes, state)."""
    x, out = seed, bytearray()
    for _ in range(count):
        x ^= (x << 13) & 0xFFFFFFFF
        x ^= x >> 17
        x ^= (x << 5) & 0xFFFFFFFF
        out.append(x & 0xFF)
    return bytes(out), x


def make_deterministic(seed):
    """Seeds everything and takes away what makes two trainings on one machine differ."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.experimental.enable_op_determinism()
    tf.keras.utils.set_random_seed(seed)


def convert_int8(model, shape, samples):
    """Full-int8 .tflite of a Keras model, batch 1, int8 inputs and outputs; `samples` are float inputs."""
    import tensorflow as tf

    one = tf.keras.models.clone_model(model, input_tensors=tf.keras.Input(shape, batch_size=1, name="input"))
    one.set_weights(model.get_weights())
    converter = tf.lite.TFLiteConverter.from_keras_model(one)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([s[None]] for s in samples)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    return converter.convert()


def save_model(name, tflite, training):
    """Writes model.tflite and training.json (what only the training run knows)."""
    folder = MODELS / name
    folder.mkdir(exist_ok=True)
    (folder / "model.tflite").write_bytes(tflite)
    (folder / "training.json").write_text(json.dumps(training, indent=1) + "\n")
    print(name, len(tflite), "bytes", training)
