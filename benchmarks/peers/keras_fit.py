"""Keras 3 on each of its backends: `compile` and `fit` on arrays in memory.

`fifty` lets Keras run as many steps between two looks as the others do between two points of their curve; only the
JAX and TensorFlow backends gain from it. No metric but the loss is computed, neither in training nor in validation.
"""

import os
from typing import Any

from gate import FOREVER, Gate
from workloads import BATCH_SIZE, LEARNING_RATE, LOG_EVERY, SEED, VALIDATION_BATCH_SIZE, Workload, standardised


def torch(workload: Workload, gate: Gate) -> None:
    """Keras on torch."""
    import torch as backend

    backend.set_num_threads(workload.threads)
    _fit("torch", 1, workload, gate)


def jax(workload: Workload, gate: Gate) -> None:
    """Keras on JAX."""
    _fit("jax", 1, workload, gate)


def jax_fifty(workload: Workload, gate: Gate) -> None:
    """Keras on JAX, steps_per_execution=50."""
    _fit("jax", LOG_EVERY, workload, gate)


def tensorflow(workload: Workload, gate: Gate) -> None:
    """Keras on TensorFlow."""
    _limit_tensorflow(workload.threads)
    _fit("tensorflow", 1, workload, gate)


def tensorflow_fifty(workload: Workload, gate: Gate) -> None:
    """Keras on TensorFlow, steps_per_execution=50."""
    _limit_tensorflow(workload.threads)
    _fit("tensorflow", LOG_EVERY, workload, gate)


def _limit_tensorflow(threads: int) -> None:
    import tensorflow

    tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
    tensorflow.config.threading.set_inter_op_parallelism_threads(threads)


def _network(keras: Any, workload: Workload, channels_first: bool) -> Any:
    layers = keras.layers
    if workload.network == "lenet5":
        return keras.Sequential(
            [
                keras.Input((1, 28, 28) if channels_first else (28, 28, 1)),
                layers.Conv2D(6, 5, padding="same", activation="tanh"),
                layers.AveragePooling2D(2),
                layers.Conv2D(16, 5, activation="tanh"),
                layers.AveragePooling2D(2),
                layers.Flatten(),
                layers.Dense(120, activation="tanh"),
                layers.Dense(84, activation="tanh"),
                layers.Dense(10),
            ]
        )
    hidden = [layers.Dense(width, activation="relu") for width in workload.widths]
    return keras.Sequential([keras.Input((784,)), *hidden, layers.Dense(10)])


def _fit(backend: str, steps_per_execution: int, workload: Workload, gate: Gate) -> None:
    os.environ["KERAS_BACKEND"] = backend
    import keras

    class AtGate(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            gate(logs["val_loss"])

    keras.utils.set_random_seed(SEED)
    channels_first = backend == "torch"  # what torch convolves without transposing
    keras.config.set_image_data_format("channels_first" if channels_first else "channels_last")
    train, train_labels, validation, validation_labels = standardised(workload)
    shape = (784,) if workload.network != "lenet5" else (1, 28, 28) if channels_first else (28, 28, 1)
    model = _network(keras, workload, channels_first)
    model.compile(
        optimizer=keras.optimizers.SGD(LEARNING_RATE),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        steps_per_execution=steps_per_execution,
    )
    model.fit(
        train.reshape(-1, *shape),
        train_labels,
        batch_size=BATCH_SIZE,
        epochs=FOREVER,
        verbose=0,
        validation_data=(validation.reshape(-1, *shape), validation_labels),
        validation_batch_size=VALIDATION_BATCH_SIZE,
        callbacks=[AtGate()],
    )
