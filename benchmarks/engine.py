"""What an engine costs: each trains the same network on the same data, epochs interleaved, against a raw loop.

    python benchmarks/engine.py                                 all of it: about two hours
    python benchmarks/engine.py --quick                         a look: a few minutes, numbers good to some percent
    python benchmarks/engine.py --launches 2 --rounds 6 --markdown docs/benchmarks.md     the published tables: an hour
    python benchmarks/engine.py --only raw fourfold --networks mlp --threads 1

An epoch is training and validation, with the loss read every 50 steps. Overhead is the difference to the raw loop's
epoch of the same round, divided by its steps.
"""

import argparse
import os
import statistics
from pathlib import Path

from rounds import Series, interleave, paired
from tables import machine, spread, table, write_section
from workloads import TITLES, Workload

BASELINE = "raw"
ENGINES = {
    "raw": ("peers.raw:default", "raw PyTorch loop, `torch.optim.SGD`"),
    "raw-fused": ("peers.raw:fused", "raw PyTorch loop, `torch.optim.SGD(fused=True)`"),
    "fourfold": ("peers.fourfold_run:default", "**Fourfold**, defaults"),
    "fourfold-fp32": ("peers.fourfold_run:fp32", "**Fourfold**, `runtime.precision=fp32`"),
    "fourfold-step": ("peers.fourfold_run:one_graph", "**Fourfold**, `runtime.compile=step`"),
    "fourfold-step-fp32": ("peers.fourfold_run:one_graph_fp32", "**Fourfold**, `compile=step precision=fp32`"),
    "fabric": ("peers.fabric:loop", "Lightning Fabric"),
    "skorch": ("peers.skorch_net:fit", "skorch"),
    "accelerate": ("peers.accelerated:loop", "Accelerate"),
    "lightning-bare": ("peers.lightning_trainer:bare", "Lightning Trainer, all off"),
    "lightning": ("peers.lightning_trainer:default", "Lightning Trainer, defaults"),
    "hf-trainer": ("peers.hf_trainer:fit", "Hugging Face Trainer"),
    "keras-torch": ("peers.keras_fit:torch", "Keras on torch"),
    "keras-jax": ("peers.keras_fit:jax", "Keras on JAX"),
    "keras-jax-50": ("peers.keras_fit:jax_fifty", "Keras on JAX, `steps_per_execution=50`"),
    "keras-tf": ("peers.keras_fit:tensorflow", "Keras on TensorFlow"),
    "keras-tf-50": ("peers.keras_fit:tensorflow_fifty", "Keras on TensorFlow, `steps_per_execution=50`"),
}
PREFACE = """## Engines

{machine}. Load before: {load:.2f}. Made-up pictures of MNIST's shape, in memory. Each engine in its own process, on as
many cores as threads, epochs interleaved. Plain SGD; the loss is read every 50 steps. Where an engine takes batches
from outside it gets the raw loop's, which are faster than its own DataLoader's. Fourfold's default precision is bf16
where the processor's name is followed by its bf16 instructions, and fp32 elsewhere; all others compute in fp32, as
their defaults are. Keras on TensorFlow has threads of its own; they wait for each other here, and the spread says how
little its row means."""
COLUMNS = ["engine", "µs a step", "overhead, µs a step", "throughput, raw = 1", "first epoch, s more", "loss"]


def main() -> None:
    options = parse()
    names = list(dict.fromkeys([BASELINE, *options.only]))
    targets = {name: ENGINES[name][0] for name in names}
    examples, validation = (11_000, 1_000) if options.quick else (55_000, 5_000)
    launches, warm_up, rounds = (1, 1, 5) if options.quick else (3, 2, 10)
    launches, rounds = options.launches or launches, options.rounds or rounds
    if options.markdown is not None:
        write_section(options.markdown, "engine", PREFACE.format(machine=machine(), load=os.getloadavg()[0]))
    for network in options.networks:
        for threads in options.threads:
            workload = Workload(network, examples, validation, threads)
            heard = interleave(targets, workload, launches, warm_up, rounds)
            text = section(workload, heard, options.clock, launches)
            print(text, flush=True)
            if options.markdown is not None:  # at once: what is measured is not lost if the rest is stopped
                write_section(options.markdown, f"engine {network} {threads}", text)


def section(workload: Workload, heard: dict[str, Series], clock: str, launches: int) -> str:
    """Return the table of one network."""
    baseline = heard[BASELINE]
    known = [epoch for epoch in baseline.epochs if epoch is not None]
    if not known:
        return f"### {TITLES[workload.network]}\n\nThe raw loop failed: {baseline.skipped}"
    usual = statistics.median(epoch.wall for epoch in known)
    busy = sum(epoch.cpu for epoch in known) / sum(epoch.wall for epoch in known) / workload.threads
    rows = []
    for name, series in heard.items():
        pairs = paired(series.epochs, baseline.epochs, clock)
        if not pairs:
            rows.append([ENGINES[name][1], f"skipped: {series.skipped}", "", "", "", ""])
            continue
        steps = workload.steps / 1e6
        own = statistics.median(epoch.wall for epoch in series.epochs if epoch is not None)
        rows.append(
            [
                ENGINES[name][1],
                f"{statistics.median(ours for ours, _ in pairs) / steps:.0f}",
                "" if name == BASELINE else spread([(ours - raw) / steps for ours, raw in pairs], 0),
                "1" if name == BASELINE else spread([raw / ours for ours, raw in pairs], 2),
                f"{statistics.median(series.first) - own:.1f}",
                f"{[epoch for epoch in series.epochs if epoch is not None][-1].validation_loss:.3f}",
            ]
        )
    title = f"### {TITLES[workload.network]}; {workload.threads} thread{'s' if workload.threads > 1 else ''}"
    wall = usual / workload.steps * 1e6
    starts = "1 launch" if launches == 1 else f"{launches} launches"
    note = (
        f"Median (quartiles) of {len(known)} epochs, {workload.examples:,} pictures to train on and "
        f"{workload.validation_examples:,} to validate on each, from {starts}; "
        f"{'wall-clock' if clock == 'wall' else 'processor'} time. The raw loop had {busy:.0%} of its cores and took "
        f"{wall:.0f} µs a step by the wall clock."
    )
    return f"{title}\n\n{note}\n\n{table(COLUMNS, rows)}"


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a fifth of the data, few rounds")
    parser.add_argument("--only", nargs="+", choices=ENGINES, default=list(ENGINES), metavar="ENGINE")
    parser.add_argument("--networks", nargs="+", choices=TITLES, default=["mlp", "lenet5"])
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--launches", type=int, help="how often every process is started anew")
    parser.add_argument("--rounds", type=int, help="epochs of each engine a launch")
    parser.add_argument("--clock", choices=["wall", "cpu"], default="wall", help="cpu: for a machine with others on it")
    parser.add_argument("--markdown", type=Path, help="write the section of this file")
    return parser.parse_args()


if __name__ == "__main__":
    main()
