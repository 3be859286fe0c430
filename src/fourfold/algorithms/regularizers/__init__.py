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
        "ema": Entry(f"{_HERE}.ema:EMAConfig", "averaged weights are evaluated and saved (1992)"),
        "early_stopping": Entry(f"{_HERE}.early_stopping:EarlyStoppingConfig", "ends at the best validation (1998)"),
    },
)
