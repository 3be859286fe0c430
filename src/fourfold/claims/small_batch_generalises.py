"""What large batches are said to cost: accuracy from training to test, of the networks of small-batch-flat.

The runs are those of that claim, cell for cell; unequal updates or examples seen are told there and here.
"""

from fourfold.claims.base import TrainedClaim
from fourfold.claims.measures import gap
from fourfold.claims.rules import all_of, greater
from fourfold.claims.small_batch_flat import CLAIM as FLAT

CLAIM = TrainedClaim(
    id="small-batch-generalises",
    says="With the full batch a network loses more accuracy from the training to the test split than with small ones.",
    source="Keskar, Mudigere, Nocedal, Smelyanskiy and Tang, On Large-Batch Training for Deep Learning: Generalization "
    "Gap and Sharp Minima, ICLR 2017, arXiv:1609.04836, Table 2",
    recipe=FLAT.recipe,
    arms=FLAT.arms,
    shared=FLAT.shared,
    measure=gap("accuracy"),
    rule=all_of(greater("full, equal epochs", "small"), greater("full, equal steps", "small")),
    unfair=True,
    quick=FLAT.quick,
    full=FLAT.full,
    scaled_from=FLAT.scaled_from,
    likely_reason="at equal epochs the full batch makes one update where the small one makes 24, has not fitted what "
    "it is trained on, and so has less to lose; at equal steps both fit all of it, and 377 digits leave them the same "
    "way to go: what Keskar's gap needs, a network with many different ways to fit its data, is not here",
)
