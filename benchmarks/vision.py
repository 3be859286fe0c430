"""Networks for pictures: how fast they train, how fast they predict, and how fast a folder of pictures is read.

    python benchmarks/vision.py                                 all of it, about half an hour
    python benchmarks/vision.py --only inference folder         parts of it
    python benchmarks/vision.py --markdown docs/benchmarks.md   write the tables where readers find them

Training is measured as in engine.py: each contender in a process of its own, epochs interleaved; an epoch is training
with augmentation and one validation batch. The other two are in inference.py and folder.py.
"""

import argparse
import os
import statistics
from pathlib import Path

import folder
import inference
from rounds import Series, interleave, paired
from tables import machine, spread, table, tell, write_section
from workloads import VISION_TITLES, Workload

BASELINE = "raw"
LOOPS = {
    "raw": ("peers.vision_torch:alone", "raw PyTorch loop and torchvision transforms, `DataLoader(num_workers=0)`"),
    "raw-2": ("peers.vision_torch:two_workers", "the same, `num_workers=2`"),
    "fourfold": ("peers.vision_fourfold:default", "**Fourfold**, defaults"),
    "fourfold-step": ("peers.vision_fourfold:compiled", "**Fourfold**, `runtime.compile=step`"),
    "lightning": ("peers.vision_lightning:fit", "Lightning Trainer, all off, the raw loop's loaders"),
    "timm": ("peers.vision_timm:fit", "timm's loop, loader and optimizer"),
}
EXAMPLES = {"resnet18": 1024, "alexnet": 512}
PARTS = ("training", "inference", "folder")
PREFACE = """## Pictures

{machine}. Load before: {load:.2f}. Made-up pictures. `runtime.precision=auto` is bf16 where the processor has
instructions for it (then its name above says which), else fp32."""
COLUMNS = ["loop", "pictures a second", "throughput, raw = 1", "first epoch, s more"]


def main() -> None:
    options = parse()
    load = os.getloadavg()[0]
    if options.markdown is not None:
        write_section(options.markdown, "vision", PREFACE.format(machine=machine(), load=load))
    if "training" in options.only:
        for network in options.networks:
            examples = options.examples or EXAMPLES[network] // (4 if options.quick else 1)
            workload = Workload(network, examples, 64, options.threads)
            targets = {name: LOOPS[name][0] for name in dict.fromkeys([BASELINE, *options.loops])}
            launches, rounds = (1, 3) if options.quick else (2, 7)
            heard = interleave(targets, workload, options.launches or launches, 1, options.rounds or rounds)
            tell(options.markdown, f"vision {network}", training(workload, heard, options.clock))
    if "inference" in options.only:
        rounds = options.rounds or (3 if options.quick else 11)
        found = inference.measure(options.threads, rounds, options.quick, options.clock)
        tell(options.markdown, "vision inference", found)
    if "folder" in options.only:
        count = 2_000 if options.quick else 10_000
        tell(options.markdown, "vision folder", folder.measure(count, options.rounds or (1 if options.quick else 5)))


def training(workload: Workload, heard: dict[str, Series], clock: str) -> str:
    """Return the table of one network."""
    baseline = heard[BASELINE]
    known = [epoch for epoch in baseline.epochs if epoch is not None]
    threads = f"{workload.threads} thread{'s' if workload.threads > 1 else ''}"
    title = f"### Training {VISION_TITLES[workload.network]}; {threads}"
    if not known:
        return f"{title}\n\nThe raw loop failed: {baseline.skipped}"
    busy = sum(epoch.cpu for epoch in known) / sum(epoch.wall for epoch in known) / workload.threads
    rows = []
    for name, series in heard.items():
        pairs = paired(series.epochs, baseline.epochs, clock)
        if not pairs:
            rows.append([LOOPS[name][1], f"skipped: {series.skipped}", "", ""])
            continue
        own = [epoch for epoch in series.epochs if epoch is not None]
        rows.append(
            [
                LOOPS[name][1],
                f"{workload.examples / statistics.median(getattr(epoch, clock) for epoch in own):,.1f}",
                "1" if name == BASELINE else spread([raw / ours for ours, raw in pairs], 2),
                f"{statistics.median(series.first) - statistics.median(epoch.wall for epoch in own):.1f}",
            ]
        )
    note = (
        f"Median (quartiles) of {len(known)} epochs of {workload.examples:,} pictures and 64 to validate on; "
        f"{'wall-clock' if clock == 'wall' else 'processor'} time. The raw loop had {busy:.0%} of its cores."
    )
    return f"{title}\n\n{note}\n\n{table(COLUMNS, rows)}"


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="less of everything, numbers good to some percent")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART")
    parser.add_argument("--networks", nargs="+", choices=VISION_TITLES, default=list(VISION_TITLES))
    parser.add_argument("--loops", nargs="+", choices=LOOPS, default=list(LOOPS), metavar="LOOP")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--examples", type=int, help="pictures to train on in an epoch")
    parser.add_argument("--launches", type=int, help="how often every training process is started anew")
    parser.add_argument("--rounds", type=int)
    parser.add_argument(
        "--clock",
        choices=["wall", "cpu"],
        default="wall",
        help="cpu: for a machine with others on it; leaves out what a DataLoader's workers did",
    )
    parser.add_argument("--markdown", type=Path, help="write the sections of this file")
    return parser.parse_args()


if __name__ == "__main__":
    main()
