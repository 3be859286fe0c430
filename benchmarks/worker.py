"""One engine in a process of its own, started by `rounds.py`, which says what to run in the arguments."""

import importlib
import os
import sys


def main() -> None:
    target, network, examples, validation_examples, threads = sys.argv[1:]
    # Before anything that makes threads is imported; the affinity is what JAX goes by, and keeps helpers off.
    os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = threads
    os.environ["TF_NUM_INTRAOP_THREADS"] = threads
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(threads)])

    from gate import Gate
    from workloads import Workload

    gate = Gate()
    workload = Workload(network, int(examples), int(validation_examples), int(threads))  # type: ignore[arg-type]
    module, function = target.split(":")
    try:
        engine = getattr(importlib.import_module(module), function)
        engine(workload, gate)
    except ModuleNotFoundError as error:
        gate.answer({"skipped": f"{error.name} is not installed (the `bench` extra has it)"})
    except Exception as error:
        gate.answer({"skipped": f"{type(error).__name__}: {error}".splitlines()[0][:200]})
        raise


if __name__ == "__main__":
    main()
