"""What large batches are said to cost: accuracy from training to test, of the networks of small-batch-flat.

The runs are those of that claim, cell for cell; unequal updates or examples seen are told there and here.

A gap between training and test says nothing of a network that has not been trained: it has nothing to lose. So each
full batch is judged only where it and the small one got at least 99 % of the training split right, at every seed; where
they did not, that half of the claim is undecided, whatever the gaps. The first rule had no such
condition; the same runs are judged again.
"""

from fourfold.claims.base import TrainedClaim
from fourfold.claims.measures import gap, metric
from fourfold.claims.rules import all_of, every, greater, provided
from fourfold.claims.small_batch_flat import CLAIM as FLAT

FITTED = 0.99

CLAIM = TrainedClaim(
    id="small-batch-generalises",
    says="With the full batch a network loses more accuracy from the training to the test split than with small ones.",
    source="Keskar, Mudigere, Nocedal, Smelyanskiy and Tang, On Large-Batch Training for Deep Learning: Generalization "
    "Gap and Sharp Minima, ICLR 2017, arXiv:1609.04836, Table 2",
    recipe=FLAT.recipe,
    arms=FLAT.arms,
    shared=FLAT.shared,
    measure=gap("accuracy"),
    beside={"trained": metric("train.accuracy")},
    rule=provided(
        every("small: trained", at_least=FITTED),
        all_of(
            *(
                provided(every(f"{full}: trained", at_least=FITTED), greater(full, "small"))
                for full in ("full, equal steps", "full, equal epochs")
            )
        ),
    ),
    unfair=True,
    quick=FLAT.quick,
    full=FLAT.full,
    scaled_from=FLAT.scaled_from,
    likely_reason="at equal steps both fit all that they are trained on, and 377 digits leave them the same way to go: "
    "what Keskar's gap needs, a network with many different ways to fit its data, is not here",
)
