"""The base of all optimizers: parameter groups, state, and a step that costs little more than its arithmetic.

The interface is torch.optim's (`param_groups`, `step`, `zero_grad`, `state_dict`, `load_state_dict`), but nothing here
subclasses `torch.optim.Optimizer`: constructing one imports torch._dynamo, which takes seconds.

Each optimizer's file holds its equations as a pure function over lists of tensors; that is the reference, what runs on
any device, and what a compiled step is made of. Where something faster computes the same, `update` calls that instead,
and a test holds the two equal.
"""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from fourfold.algorithms.optimizers.cohorts import NO_PLAN, Cohort, StepPlan, Work, group_into_cohorts
from fourfold.core.config import PartConfig
from fourfold.core.errors import did_you_mean

Params = Iterable[nn.Parameter] | Iterable[Mapping[str, Any]]
States = tuple[list[Tensor], ...]  # for each of `state_names`, one tensor a parameter
Number = (
    float | Tensor
)  # a 0-d tensor in a compiled step: a float would be a constant of it, and a new one compile it anew


class Optimizer:
    """Moves parameters along their gradients.

    There is no `weight_decay` argument: decay is a regularizer, apart from the optimizer, so that either can be
    swapped while the other stays. Gradients must be dense, parameters real.

    Args:
        params: parameters, or groups `{"params": […], "lr": …}` that override the hyperparameters they name.
        hyperparameters: what groups that say nothing else use.

    Attributes:
        param_groups: `{"params": […], "lr": …, …}` for each group, as in torch.optim; `lr` may be changed between
            steps.
        state: each parameter's tensors by name, once it has moved.

    Raises:
        ValueError: a hyperparameter is out of range, or a parameter cannot be optimised.
        TypeError: `params` is not a collection of tensors or groups.
    """

    state_names: ClassVar[tuple[str, ...]] = ()  # the tensors kept for each parameter
    counts_steps: ClassVar[bool] = False  # whether the update depends on how many there were
    fast_devices: ClassVar[tuple[str, ...]] = ("cpu", "cuda")  # where there is something faster than the equations
    fast_reads_found_inf: ClassVar[bool] = True  # whether its kernel reads found_inf on the device

    def __init__(self, params: Params, hyperparameters: Mapping[str, Any]) -> None:
        self._defaults = dict(hyperparameters)
        self.param_groups: list[dict[str, Any]] = []
        self.state: dict[Tensor, dict[str, Tensor]] = {}
        self._plans: list[StepPlan] = []
        if isinstance(params, Tensor):
            raise TypeError("params: expected a list of parameters or of groups, got one tensor")
        given = list(params)
        if not given:
            raise ValueError("params: there is nothing to optimise, the list is empty")
        groups = given if isinstance(given[0], Mapping) else [{"params": given}]
        for group in groups:
            self.add_param_group(group)  # type: ignore[arg-type]

    def check(self, hyperparameters: Mapping[str, Any]) -> None:
        """Raise ValueError for a hyperparameter that is out of range."""
        raise NotImplementedError

    def equations(
        self, params: list[Tensor], grads: list[Tensor], states: States, group: Mapping[str, Any], step: Number
    ) -> None:
        """Move `params` and `states` along `grads`, in place, by the equations at the head of the optimizer's file.

        `group` has the hyperparameters; `step` counts from 1, and means something only where `counts_steps`.
        """
        raise NotImplementedError

    def update(self, cohort: Cohort, grads: list[Tensor], group: Mapping[str, Any], found_inf: Tensor | None) -> None:
        """Do the same faster, for a cohort that is `fast`.

        `found_inf` is for kernels that read it on the device; for anything else it has been looked at already.
        """
        raise NotImplementedError

    def initial_state(self, name: str, param: Tensor, group: Mapping[str, Any]) -> Tensor:
        """Return what the state tensor `name` of `param` is before the first step."""
        return torch.zeros_like(param, requires_grad=False)

    def add_param_group(self, group: Mapping[str, Any]) -> None:
        """Add parameters, with hyperparameters of their own where the group names them.

        Raises:
            ValueError: a hyperparameter is unknown or out of range, or a parameter cannot be optimised.
            TypeError: `group["params"]` is not a list of tensors.
        """
        for name in group:
            if name not in ("params", *self._defaults):
                raise ValueError(f"{type(self).__name__} has no '{name}'{did_you_mean(name, self._defaults)}")
        params = [group["params"]] if isinstance(group["params"], Tensor) else list(group["params"])
        known = {id(param) for each in self.param_groups for param in each["params"]}
        for param in params:
            if not isinstance(param, Tensor):
                raise TypeError(f"params: expected tensors, got {type(param).__name__}")
            if not param.is_leaf:
                raise ValueError("params: a tensor that is computed from others cannot be optimised")
            if not param.is_floating_point():
                raise ValueError(f"params: only real numbers can be optimised, got {param.dtype}")
            if id(param) in known:
                raise ValueError("params: a parameter appears twice")
            known.add(id(param))
        hyperparameters = {**self._defaults, **{k: v for k, v in group.items() if k != "params"}}
        self.check(hyperparameters)
        self.param_groups.append({"params": params, **hyperparameters})
        self._plans.append(NO_PLAN)

    def step(self, found_inf: Tensor | None = None) -> None:
        """Move every parameter that has a gradient.

        Args:
            found_inf: float32 `[1]` on the parameters' device, 1.0 where the gradients are not finite, else 0.0; at
                1.0 nothing moves and no state changes.
        """
        if torch.is_grad_enabled():
            with torch.no_grad():
                return self.step(found_inf)
        for i, group in enumerate(self.param_groups):
            work = self._plans[i].work(len(group["params"]))
            if work is None:
                self._plans[i], work = self._plan(group)
            for cohort, grads in work:
                reads_found_inf = cohort.fast and self.fast_reads_found_inf
                if found_inf is not None and not reads_found_inf and found_inf.item():
                    continue
                if cohort.step is not None and cohort.one is not None:
                    cohort.step.add_(cohort.one)
                if cohort.fast:
                    self.update(cohort, grads, group, found_inf)
                else:
                    self.equations(cohort.params, grads, cohort.states, group, cohort.count if self.counts_steps else 0)
                if cohort.step is not None and found_inf is not None:
                    cohort.step.sub_(found_inf)

    def cohorts(self) -> list[tuple[dict[str, Any], Cohort]]:
        """Return all parameters with their states, as if each had a gradient, for whoever moves them by `equations`.

        Gradients are forgotten, and state is made for parameters that have none yet.
        """
        for group in self.param_groups:
            for param in group["params"]:
                param.grad = torch.zeros_like(param)
        work = [(group, cohort) for group in self.param_groups for cohort, _ in self._plan(group)[1]]
        self.zero_grad()
        return work

    def _plan(self, group: Mapping[str, Any]) -> tuple[StepPlan, Work]:
        """Give each parameter that moves its state, and gather those that move in one call."""
        params: list[Tensor] = group["params"]
        active = [param for param in params if param.grad is not None]
        for param in active:
            if param.grad is not None and param.grad.layout != torch.strided:
                raise RuntimeError(f"{type(self).__name__} takes dense gradients, got {param.grad.layout}")
            state = self.state.setdefault(param, {})
            if not state:
                state.update({name: self.initial_state(name, param, group) for name in self.state_names})
                if self.counts_steps:
                    state["step"] = torch.zeros(1, dtype=torch.float32, device=param.device)
        work = group_into_cohorts(active, self.state, self.state_names, self.fast_devices)
        idle = [param for param in params if param.grad is None]
        return StepPlan([cohort for cohort, _ in work], idle, len(params)), work

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget all gradients, or fill them with zeros."""
        for group in self.param_groups:
            for param in group["params"]:
                if set_to_none:
                    param.grad = None
                elif param.grad is not None:
                    param.grad = torch.zeros_like(param.grad)

    def state_dict(self) -> dict[str, Any]:
        """Return the hyperparameters and state as plain data and tensors.

        `param_groups` numbers the parameters in order; `state` has one entry for each, empty if it never moved.
        """
        groups: list[dict[str, Any]] = []
        states: list[dict[str, Any]] = []
        for group in self.param_groups:
            numbers = list(range(len(states), len(states) + len(group["params"])))
            plain = {k: list(v) if isinstance(v, tuple) else v for k, v in group.items()}
            groups.append({**plain, "params": numbers})
            for param in group["params"]:
                state: dict[str, Any] = dict(self.state.get(param, {}))
                if "step" in state:
                    state["step"] = int(state["step"])
                states.append(state)
        return {"param_groups": groups, "state": states}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from `state_dict`'s data; tensors are copied.

        Raises:
            ValueError: it does not fit these parameters; then nothing has changed.
        """
        groups, states = _read(state)
        params: list[Tensor] = [param for group in self.param_groups for param in group["params"]]
        sizes = [len(group["params"]) for group in self.param_groups]
        if [len(group["params"]) for group in groups] != sizes or len(states) != len(params):
            found = [len(group["params"]) for group in groups]
            raise ValueError(f"the optimizer state has groups of {found} parameters, these are groups of {sizes}")
        hyperparameters: list[dict[str, Any]] = []
        for group in groups:
            if set(group) != {"params", *self._defaults}:
                raise ValueError(
                    f"the optimizer state has {sorted(group)}, {type(self).__name__} needs {self._names()}"
                )
            values = {k: tuple(v) if isinstance(v, list) else v for k, v in group.items() if k != "params"}
            self.check(values)
            hyperparameters.append(values)
        loaded = [self._loaded(i, param, states[i]) for i, param in enumerate(params)]
        for group, values in zip(self.param_groups, hyperparameters, strict=True):
            group.update(values)
        self.state = {param: each for param, each in zip(params, loaded, strict=True) if each}
        self._plans = [NO_PLAN for _ in self.param_groups]

    def _loaded(self, i: int, param: Tensor, state: Mapping[str, Any]) -> dict[str, Tensor]:
        """Return parameter number `i`'s state, copied to where the parameter is."""
        if not state:
            return {}
        names = {*self.state_names, "step"} if self.counts_steps else set(self.state_names)
        if set(state) != names:
            raise ValueError(
                f"the state of parameter {i} has {sorted(state)}, {type(self).__name__} needs {sorted(names)}"
            )
        loaded: dict[str, Tensor] = {}
        for name in self.state_names:
            value = state[name]
            if not isinstance(value, Tensor) or value.shape != param.shape:
                shown = f"shape {list(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
                raise ValueError(f"'{name}' of parameter {i}: expected shape {list(param.shape)}, found {shown}")
            loaded[name] = value.clone()  # it goes to the parameter's device and layout at the next step
        if self.counts_steps:
            if type(state["step"]) is not int or state["step"] < 0:
                raise ValueError(f"'step' of parameter {i}: expected a count, found {state['step']!r}")
            loaded["step"] = torch.full((1,), state["step"], dtype=torch.float32, device=param.device)
        return loaded

    def _names(self) -> list[str]:
        return sorted(["params", *self._defaults])

    def __repr__(self) -> str:
        groups = [{k: v for k, v in group.items() if k != "params"} for group in self.param_groups]
        shown = groups[0] if len(groups) == 1 else groups
        return f"{type(self).__name__}({shown})"


def _read(state: Mapping[str, Any]) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    """Return the groups and states of a state dict, whose outer shape may be anything."""
    if isinstance(state, Mapping) and _are_mappings(state.get("param_groups")) and _are_mappings(state.get("state")):
        groups = state["param_groups"]
        if all(isinstance(group.get("params"), list) for group in groups):
            return groups, state["state"]
    raise ValueError("not an optimizer state: it needs lists 'param_groups' and 'state'")


def _are_mappings(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, Mapping) for each in value)


class OptimizerConfig(PartConfig):
    """The fields of an optimizer."""

    def build(self, params: Params) -> Optimizer:
        """Return the optimizer of `params`."""
        raise NotImplementedError
