"""Which parameters one call can update: those of one device and type that have moved equally often.

The lists are made once and kept: a step that finds the same gradients in the same memory layout reuses them, so that a
small model does not pay for bookkeeping.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor


@dataclass(slots=True)
class Cohort:
    """Parameters that one call updates.

    Attributes:
        params: parameters of one device and type.
        states: for each of the optimizer's state names, one tensor a parameter.
        step: float32 `[1]`, the number of steps so far, or None where the optimizer does not count.
        one: float32 `[1]`, for adding a tensor is three times as fast as adding a number; None with `step`.
        strides: the memory layout of each parameter.
        grad_strides: the layout that each gradient must have for these lists to serve; None never fits.
        fast: whether every parameter, state and gradient lies in memory without gaps and in the same order, on a
            device that has more than the equations.
    """

    params: list[Tensor]
    states: tuple[list[Tensor], ...]
    step: Tensor | None
    one: Tensor | None
    strides: list[tuple[int, ...]]
    grad_strides: list[tuple[int, ...] | None]
    fast: bool

    @property
    def steps(self) -> list[Tensor]:
        """The step count once for each parameter, as the fused kernels want it."""
        assert self.step is not None
        return [self.step] * len(self.params)

    @property
    def count(self) -> int:
        """The step count as a number; reading it waits for the device."""
        assert self.step is not None
        return int(self.step)


Work = list[tuple[Cohort, list[Tensor]]]  # what to move, each with the gradients to move it along


class StepPlan(NamedTuple):
    """What a group's last step did, and the next one most likely does again."""

    cohorts: list[Cohort]
    idle: list[Tensor]  # had no gradient
    size: int

    def work(self, size: int) -> Work | None:
        """Return the cohorts with their gradients, or None if a gradient came or went, or a layout changed.

        Args:
            size: parameters in the group.
        """
        if self.size != size:
            return None
        work: Work = []
        try:
            for cohort in self.cohorts:
                params = cohort.params
                grads: list[Any] = [param.grad for param in params]
                if [g.stride() for g in grads] != cohort.grad_strides or [p.stride() for p in params] != cohort.strides:
                    return None
                work.append((cohort, grads))
        except AttributeError:  # None has no stride; asking for None first would cost more than it saves
            return None
        for param in self.idle:
            if param.grad is not None:
                return None
        return work


NO_PLAN = StepPlan([], [], -1)


def group_into_cohorts(
    active: list[Tensor],
    state: Mapping[Tensor, dict[str, Tensor]],
    state_names: tuple[str, ...],
    fast_devices: tuple[str, ...],
) -> Work:
    """Gather parameters that have gradients into cohorts, each with its gradients as the update wants them.

    State is moved to its parameter's device, type and layout where the parameter has changed those.
    """
    members: dict[Any, list[Tensor]] = {}
    for param in active:
        own = state[param]
        for name in state_names:
            own[name] = like(param, own[name])
        fast = param.device.type in fast_devices and is_dense(param)
        steps = int(own["step"]) if "step" in own else 0
        members.setdefault((param.device, param.dtype, steps, fast), []).append(param)
    return [_cohort(params, state, state_names, key[-1]) for key, params in members.items()]


def _cohort(
    params: list[Tensor],
    state: Mapping[Tensor, dict[str, Tensor]],
    state_names: tuple[str, ...],
    fast: bool,
) -> tuple[Cohort, list[Tensor]]:
    step = one = None
    if "step" in state[params[0]]:
        step = state[params[0]]["step"].to(params[0].device, copy=True)  # those that stay behind keep the old one
        one = torch.ones_like(step)
        for param in params:
            state[param]["step"] = step
    grads: list[Tensor] = []
    grad_strides: list[tuple[int, ...] | None] = []
    for param in params:
        grad = param.grad
        assert grad is not None
        if fast and not same_layout(param, grad):
            grads.append(torch.empty_like(param, requires_grad=False).copy_(grad))
            grad_strides.append(None)  # the next step must copy again
        else:
            grads.append(grad)
            grad_strides.append(grad.stride())
    states = tuple([state[param][name] for param in params] for name in state_names)
    strides = [param.stride() for param in params]
    return Cohort(params, states, step, one, strides, grad_strides, fast), grads


def is_dense(tensor: Tensor) -> bool:
    """Return whether the numbers lie in memory without gaps or overlaps, in whatever order."""
    return same_layout(torch.empty_like(tensor, device="meta"), tensor)


def same_layout(a: Tensor, b: Tensor) -> bool:
    """Return whether two tensors of one shape have their numbers in the same order in memory."""
    return a.shape == b.shape and all(
        x == y for x, y, size in zip(a.stride(), b.stride(), a.shape, strict=True) if size > 1
    )


def like(param: Tensor, value: Tensor) -> Tensor:
    """Return `value` on the device of `param`, in its type and, if that is dense, its memory layout."""
    if value.device == param.device and value.dtype == param.dtype and same_layout(param, value):
        return value
    return torch.empty_like(param, requires_grad=False).copy_(value)
