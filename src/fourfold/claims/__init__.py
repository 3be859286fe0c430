"""Claims of the literature, each an experiment with a rule written before the run. One claim a file.

The table is written out by hand, in the order of the list; listing it imports no claim. `docs/add-a-claim.md` shows
how to add one.
"""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

from fourfold.core.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from fourfold.claims.base import Claim


class ClaimEntry(NamedTuple):
    """One row of the table.

    Attributes:
        target: `"package.module:CLAIM"`.
        summary: one line for `fourfold list claims`.
    """

    target: str
    summary: str


class ClaimTable(Mapping[str, ClaimEntry]):
    """The claims there are, by id."""

    def __init__(self, entries: Mapping[str, ClaimEntry]) -> None:
        self._entries = dict(entries)

    def __getitem__(self, name: str) -> ClaimEntry:
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def require(self, name: str) -> None:
        """Raise InputError where there is no such claim; the nearest id is offered."""
        if name not in self._entries:
            raise InputError(f"no claim called '{name}'{did_you_mean(name, self)}")

    def load(self, name: str) -> "Claim":
        """Import a claim's file and return the claim.

        Raises:
            InputError: no such claim; the nearest id is offered.
        """
        self.require(name)
        module, _, attribute = self._entries[name].target.partition(":")
        return getattr(import_module(module), attribute)


CLAIMS = ClaimTable(
    {
        "affine-collapse": ClaimEntry(
            "fourfold.claims.affine_collapse:CLAIM", "a stack of affine maps is one affine map"
        ),
        "xor-needs-depth": ClaimEntry(
            "fourfold.claims.xor_needs_depth:CLAIM", "a line cannot split XOR; one hidden layer can"
        ),
        "sigmoid-vanishes": ClaimEntry(
            "fourfold.claims.sigmoid_vanishes:CLAIM", "sigmoid' <= 1/4, so gradients shrink with depth"
        ),
        "first-adam-step": ClaimEntry(
            "fourfold.claims.first_adam_step:CLAIM", "without bias correction Adam's first steps are too long"
        ),
        "bias-correction": ClaimEntry(
            "fourfold.claims.bias_correction:CLAIM", "with bias correction Adam does as well or better at any step size"
        ),
        "lr-window": ClaimEntry("fourfold.claims.lr_window:CLAIM", "too small or too large a step does not train"),
        "momentum-escapes": ClaimEntry(
            "fourfold.claims.momentum_escapes:CLAIM", "momentum passes saddles and shallow minima"
        ),
        "momentum-smooths": ClaimEntry(
            "fourfold.claims.momentum_smooths:CLAIM", "momentum averages the mini-batches' noise away"
        ),
        "nesterov-looks-ahead": ClaimEntry(
            "fourfold.claims.nesterov_looks_ahead:CLAIM", "Nesterov's gradient wastes less movement than momentum"
        ),
        "adagrad-stalls": ClaimEntry(
            "fourfold.claims.adagrad_stalls:CLAIM", "Adagrad's sum of squares makes its step go to zero"
        ),
        "adadelta-no-lr": ClaimEntry(
            "fourfold.claims.adadelta_no_lr:CLAIM", "Adadelta trains with no learning rate; a tuned RMSprop is better"
        ),
        "small-batch-flat": ClaimEntry(
            "fourfold.claims.small_batch_flat:CLAIM", "small batches end in flat minima, full batches in sharp ones"
        ),
        "small-batch-generalises": ClaimEntry(
            "fourfold.claims.small_batch_generalises:CLAIM",
            "small batches lose less from the training to the test split",
        ),
        "relu-converges-faster": ClaimEntry(
            "fourfold.claims.relu_converges_faster:CLAIM", "ReLU trains in fewer steps than tanh or sigmoid"
        ),
        "relu-in-a-convnet": ClaimEntry(
            "fourfold.claims.relu_in_a_convnet:CLAIM", "ReLU trains a convolutional network in fewer epochs than tanh"
        ),
        "universal-approximation": ClaimEntry(
            "fourfold.claims.universal_approximation:CLAIM",
            "one hidden layer can fit any curve, but finding it is another matter",
        ),
        "mse-outliers": ClaimEntry(
            "fourfold.claims.mse_outliers:CLAIM", "squared error is pulled by outliers more than absolute error"
        ),
        "ce-imbalance": ClaimEntry(
            "fourfold.claims.ce_imbalance:CLAIM",
            "cross-entropy drifts to the larger class; focal and class-balanced loss help the smaller",
        ),
        "loss-is-not-the-goal": ClaimEntry(
            "fourfold.claims.loss_is_not_the_goal:CLAIM", "a lower loss is not always a better metric"
        ),
        "train-for-the-metric": ClaimEntry(
            "fourfold.claims.train_for_the_metric:CLAIM", "choosing by F1, or training for it, gives the higher F1"
        ),
        "early-stopping": ClaimEntry(
            "fourfold.claims.early_stopping:CLAIM", "stopping where validation was best lowers test error"
        ),
        "weight-decay": ClaimEntry(
            "fourfold.claims.weight_decay:CLAIM", "a penalty on large weights lowers test error on few, noisy examples"
        ),
        "noise": ClaimEntry("fourfold.claims.noise:CLAIM", "noise on inputs and on weights lowers test error"),
        "label-smoothing": ClaimEntry(
            "fourfold.claims.label_smoothing:CLAIM", "smoothed labels lower test error on few examples"
        ),
        "dropout": ClaimEntry("fourfold.claims.dropout:CLAIM", "silenced units lower test error on few examples"),
        "augmentation": ClaimEntry(
            "fourfold.claims.augmentation:CLAIM", "training pictures moved a little lower test error on few examples"
        ),
        "six-or-nine": ClaimEntry(
            "fourfold.claims.six_or_nine:CLAIM", "turning digits by any angle makes sixes and nines alike"
        ),
        "mixup": ClaimEntry("fourfold.claims.mixup:CLAIM", "mixing pairs of examples lowers test error on few"),
        "cutout": ClaimEntry("fourfold.claims.cutout:CLAIM", "hiding a square of each picture lowers test error"),
        "cutmix": ClaimEntry("fourfold.claims.cutmix:CLAIM", "boxes of other pictures lower test error"),
        "batchnorm": ClaimEntry(
            "fourfold.claims.batchnorm:CLAIM", "batch normalisation lowers test error on few examples"
        ),
        "groupnorm-small-batch": ClaimEntry(
            "fourfold.claims.groupnorm_small_batch:CLAIM", "in batches of two, group normalisation holds, batch not"
        ),
        "groupnorm-micro-batch": ClaimEntry(
            "fourfold.claims.groupnorm_micro_batch:CLAIM", "the same where only what is normalised together is smaller"
        ),
        "cnn-beats-kernels": ClaimEntry(
            "fourfold.claims.cnn_beats_kernels:CLAIM", "a convolutional network beats kernel machines on pictures"
        ),
        "two-3x3-is-5x5": ClaimEntry(
            "fourfold.claims.two_3x3_is_5x5:CLAIM", "two 3x3 convolutions see what one 5x5 sees, with fewer weights"
        ),
        "one-by-one-saves": ClaimEntry(
            "fourfold.claims.one_by_one_saves:CLAIM", "a 1x1 convolution before a larger one cuts weights"
        ),
        "residual-depth": ClaimEntry(
            "fourfold.claims.residual_depth:CLAIM", "a deeper plain network fits worse; a deeper residual one does not"
        ),
        "dense-concat": ClaimEntry(
            "fourfold.claims.dense_concat:CLAIM", "dense networks need fewer parameters to be as good"
        ),
        "dense-transitions": ClaimEntry(
            "fourfold.claims.dense_transitions:CLAIM", "maps that are all passed on add up, but for transitions"
        ),
        "markov-forgets": ClaimEntry(
            "fourfold.claims.markov_forgets:CLAIM", "a Markov model loses what the last steps or a latent state keep"
        ),
        "rnn-forgets": ClaimEntry(
            "fourfold.claims.rnn_forgets:CLAIM", "a simple recurrent network loses what an LSTM and a GRU keep"
        ),
        "gradients-fade": ClaimEntry(
            "fourfold.claims.gradients_fade:CLAIM", "gradients fade with the lag, in an LSTM and a GRU less so"
        ),
        "gru-lighter": ClaimEntry(
            "fourfold.claims.gru_lighter:CLAIM", "a GRU is as good as an LSTM with three quarters of its weights"
        ),
        "attention-long-sentences": ClaimEntry(
            "fourfold.claims.attention_long_sentences:CLAIM", "one vector loses long sentences, attention keeps them"
        ),
        "attention-context": ClaimEntry(
            "fourfold.claims.attention_context:CLAIM", "attention gives a word another vector in another context"
        ),
        "transformer-parallel": ClaimEntry(
            "fourfold.claims.transformer_parallel:CLAIM", "self-attention waits for no word before, recurrence for all"
        ),
        "pretrain-finetune": ClaimEntry(
            "fourfold.claims.pretrain_finetune:CLAIM", "on few labels, having read other texts before helps"
        ),
        "replay-target": ClaimEntry(
            "fourfold.claims.replay_target:CLAIM", "deep Q-learning needs its replay and its target network"
        ),
        "double-overestimates": ClaimEntry(
            "fourfold.claims.double_overestimates:CLAIM", "double Q-learning holds its actions worth less too much"
        ),
        "ssl-labels": ClaimEntry(
            "fourfold.claims.ssl_labels:CLAIM", "features learned without labels beat those as drawn, and few labels"
        ),
        "bidirectional-helps": ClaimEntry(
            "fourfold.claims.bidirectional_helps:CLAIM",
            "learning to guess hidden words helps labelling more than the next",
        ),
        "bilstm-helps": ClaimEntry(
            "fourfold.claims.bilstm_helps:CLAIM", "reading both ways labels words better than reading forward"
        ),
        "scale-helps": ClaimEntry(
            "fourfold.claims.scale_helps:CLAIM", "a language model's loss falls as a power of its weights"
        ),
        "gan-equilibrium": ClaimEntry(
            "fourfold.claims.gan_equilibrium:CLAIM", "a discriminator drifts to 1/2 as what it is shown improves"
        ),
        "bagging-variance": ClaimEntry(
            "fourfold.claims.bagging_variance:CLAIM", "bagging lowers the variance of an unstable network"
        ),
        "boosting-bias": ClaimEntry("fourfold.claims.boosting_bias:CLAIM", "boosting lowers bias"),
        "boosting-lines": ClaimEntry(
            "fourfold.claims.boosting_lines:CLAIM", "boosting lowers the bias of straight lines on two moons, too"
        ),
        "bias-variance-sum": ClaimEntry(
            "fourfold.claims.bias_variance_sum:CLAIM", "bias^2, variance and noise add up to the expected test error"
        ),
        "adam-usually-best": ClaimEntry(
            "fourfold.claims.adam_usually_best:CLAIM", "equally tuned, Adam is best or near it on most problems"
        ),
    }
)
