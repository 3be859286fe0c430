"""Where the arithmetic happens: device, precision, threads, memory layout, compilation."""

import ctypes
import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import nn

from fourfold.algorithms.ensemble import Ensemble
from fourfold.core.errors import InputError
from fourfold.core.recipe import Runtime
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.seam import Features, Series, Spec, Tokens

SMALL_STEP = 30e6  # floating-point operations that one core does before a second one has been woken and waited for
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # glibc's malloc.h
LARGEST_KEPT = 1 << 30, 1 << 25  # bytes; older versions of glibc refuse more than the second
MANY_PRODUCTS = 8e6  # of weights and activations in one forward pass; below, casting costs more than bf16 saves


def available_devices() -> list[str]:
    """Return the devices this machine has, best first."""
    found = []
    if torch.cuda.is_available():
        found.append("cuda")
    if torch.backends.mps.is_available():
        found.append("mps")
    return [*found, "cpu"]


def has_native_bf16(device: str) -> bool:
    """Return whether `device` multiplies bf16 in hardware; emulation is slower than fp32."""
    if device == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device == "cpu":
        avx512, amx = torch.cpu._is_avx512_bf16_supported, torch.cpu._is_amx_tile_supported
        return bool(avx512() or amx())
    return False


def cores() -> int:
    """Return the CPU cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def is_convolutional(model: nn.Module) -> bool:
    """Return whether `model` has a 2-D convolution, for which channels-last memory is faster."""
    return any(isinstance(module, nn.Conv2d | nn.ConvTranspose2d) for module in model.modules())


def resolve_machine(runtime: Runtime) -> Runtime:
    """Return `runtime` with its device decided for this machine, so that the record names it.

    Raises:
        InputError: the device asked for is not there.
    """
    devices = available_devices()
    device = devices[0] if runtime.device == "auto" else runtime.device
    if device not in devices:
        raise InputError(f"runtime.device: this machine has no {device}; it has {', '.join(devices)}")
    return runtime.model_copy(update={"device": device})


def resolve_model(runtime: Runtime, model: nn.Module, batch_size: int, spec: Spec | None = None) -> Runtime:
    """Return `runtime` with precision, memory layout and threads decided for this model.

    `auto` precision is bf16 where the hardware multiplies it natively and the model is convolutional or a step has
    enough products for it, batch x places x parameters, where places are the tokens or time steps of an example, else
    1; smaller steps are bound by the number of operations, which casting raises. Numbers made of numbers stay with
    fp32, for bf16 has three digits. Of an ensemble one member decides, for a step moves one.

    Args:
        runtime: with its device decided.
        model: in its final form.
        batch_size: examples of a step.
        spec: what the data ask for; None where each example is one place, and rounding does not matter.
    """
    if isinstance(model, Ensemble):
        model = model.members[0]
    convolutional = is_convolutional(model)
    places = spec.input.length if spec is not None and isinstance(spec.input, Tokens | Series) else 1
    products = batch_size * places * sum(p.numel() for p in model.parameters())
    precision = runtime.precision
    if precision == "auto":
        pays = convolutional or products >= MANY_PRODUCTS
        precision = "bf16" if pays and has_native_bf16(runtime.device) and not _is_exacting(spec) else "fp32"
    channels_last = convolutional if runtime.channels_last is None else runtime.channels_last
    threads = runtime.threads or _threads(runtime, convolutional, products)
    return runtime.model_copy(update={"precision": precision, "channels_last": channels_last, "threads": threads})


def _is_exacting(spec: Spec | None) -> bool:
    """Return whether a number's fourth digit may matter: a price, a forecast, what a move is worth, a point."""
    return spec is not None and isinstance(spec.input, Features | Series) and not isinstance(spec, ClassificationSpec)


def _threads(runtime: Runtime, convolutional: bool, products: int) -> int:
    """Return one thread for a step too small to share, else this process's part of the cores."""
    if not convolutional and 6 * products < SMALL_STEP:  # each two operations forward, four backward
        return 1
    return max(1, min(cores() // runtime.processes, _most_threads()))


def _most_threads() -> int:
    """Return what the environment allows, as OpenMP reads it; torchrun's own setting is not the user's."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    by_user = asked.isdecimal() and int(asked) > 0 and "TORCHELASTIC_RUN_ID" not in os.environ
    return int(asked) if by_user else cores()


def apply(runtime: Runtime) -> None:
    """Set torch's process-wide switches: threads and determinism."""
    if runtime.threads is not None and torch.get_num_threads() != runtime.threads:
        torch.set_num_threads(runtime.threads)
    if runtime.device == "cpu":
        keep_freed_memory()
    if runtime.deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS refuses to be deterministic without it
        # a check for code that reads what it did not write; it writes every new tensor twice
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    if runtime.compile != "none":
        torch.use_deterministic_algorithms(runtime.deterministic)
    elif runtime.deterministic != torch.are_deterministic_algorithms_enabled():
        # the same switch, but the function above also imports torch's compiler, which takes seconds
        torch.set_deterministic_debug_mode("error" if runtime.deterministic else "default")


def keep_freed_memory() -> None:
    """Have the C library keep what is freed for what is asked for next, and not give it back to the system.

    A step frees and asks for the same tensors as the step before. Given back, each of their pages must be fetched from
    the system again, and cleared by it: some thousand a step, a twentieth of its time. The process then holds the most
    memory that it ever needed. Only glibc has the switch; elsewhere nothing happens.
    """
    if not sys.platform.startswith("linux") or not hasattr(libc := ctypes.CDLL(None), "mallopt"):
        return
    if any(libc.mallopt(M_MMAP_THRESHOLD, size) for size in LARGEST_KEPT):
        libc.mallopt(M_TRIM_THRESHOLD, 2**31 - 1)


def give_back_memory() -> None:
    """Give what was kept back to the system, so that the next thing in this process is not charged for it."""
    if sys.platform.startswith("linux") and hasattr(libc := ctypes.CDLL(None), "malloc_trim"):
        libc.malloc_trim(0)


def place(model: nn.Module, runtime: Runtime, device: torch.device) -> nn.Module:
    """Move `model` to its device and memory layout."""
    model = model.to(device)
    return model.to(memory_format=torch.channels_last) if runtime.channels_last else model  # type: ignore[call-overload]


def autocast(runtime: Runtime) -> Callable[[], AbstractContextManager[Any]]:
    """Return a factory of the context that forward and loss run in."""
    if runtime.precision != "bf16":
        return nullcontext
    device = runtime.device
    return lambda: torch.autocast(device, dtype=torch.bfloat16)
