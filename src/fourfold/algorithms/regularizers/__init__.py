"""Regularizers of the algorithm."""

from fourfold.core.registry import Entry, Table

_HERE = "fourfold.algorithms.regularizers"

REGULARIZERS = Table(
    "regularizer",
    {
        "weight_decay": Entry(f"{_HERE}.weight_decay:WeightDecayConfig", "an L2 penalty on the weights (1991)"),
        "l1": Entry(f"{_HERE}.l1:L1Config", "an L1 penalty on the weights (1996)"),
        "decoupled_weight_decay": Entry(
            f"{_HERE}.decoupled_weight_decay:DecoupledWeightDecayConfig",
            "weights shrink apart from the gradient (2017)",
        ),
        "gradient_clipping": Entry(
            f"{_HERE}.gradient_clipping:GradientClippingConfig", "long gradients are shortened (2012)"
        ),
        "gradient_value_clipping": Entry(
            f"{_HERE}.gradient_value_clipping:GradientValueClippingConfig", "large components are cut off (2012)"
        ),
        "input_noise": Entry(f"{_HERE}.input_noise:InputNoiseConfig", "Gaussian noise on the inputs (1995)"),
        "weight_noise": Entry(f"{_HERE}.weight_noise:WeightNoiseConfig", "Gaussian noise on the weights (1996)"),
        "mixup": Entry(f"{_HERE}.mixup:MixupConfig", "examples and targets are mixed in pairs (2018)"),
        "cutmix": Entry(f"{_HERE}.cutmix:CutmixConfig", "a box of a picture is another picture's (2019)"),
        "cutout": Entry(f"{_HERE}.cutout:CutoutConfig", "a square of each picture is hidden (2017)"),
        "swa": Entry(f"{_HERE}.swa:SWAConfig", "late networks are averaged, evaluated and saved (2018)"),
        "ema": Entry(f"{_HERE}.ema:EMAConfig", "averaged weights are evaluated and saved (1992)"),
        "early_stopping": Entry(f"{_HERE}.early_stopping:EarlyStoppingConfig", "ends at the best validation (1998)"),
    },
)
