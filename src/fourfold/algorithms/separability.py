"""Whether a hyperplane can separate two sets of points, decided by linear programming.

Points x_i with signs y_i = +1, -1 are separable exactly when y_i (w x_i + b) >= 1 has a solution (w, b).

Source: Mangasarian, Linear and nonlinear separation of patterns by linear programming, Operations Research 13, 1965.
Checked by: truth tables; points separated by a known plane, and the same with one point moved across.
"""

import torch
from torch import Tensor


def is_separable(inputs: Tensor, positive: Tensor) -> bool | None:
    """Return whether a hyperplane has all positive points on one side and all others on the other.

    Args:
        inputs: `[examples, features]`.
        positive: booleans `[examples]`.

    Returns:
        None where the solver gives up.
    """
    import numpy as np
    from scipy.optimize import linprog

    points = inputs.detach().cpu().double()
    ones = torch.ones(len(points), 1, dtype=torch.float64)
    sign = torch.where(positive.cpu(), 1.0, -1.0).double().unsqueeze(1)
    margins = (sign * torch.cat([points, ones], dim=1)).numpy()  # row i times (w, b) is y_i (w x_i + b)
    found = linprog(np.zeros(margins.shape[1]), A_ub=-margins, b_ub=-np.ones(len(margins)), bounds=(None, None))
    return {0: True, 2: False}.get(found.status)  # scipy's codes: solved, infeasible; others decide nothing


def contradictions(inputs: Tensor, labels: Tensor) -> int:
    """Return how many examples must stay wrong whatever the model, for their inputs are alike and their classes differ.

    Args:
        inputs: `[examples, features]`.
        labels: class numbers `[examples]`.
    """
    _, group = inputs.cpu().unique(dim=0, return_inverse=True)
    classes = int(labels.max()) + 1
    counts = torch.bincount(group * classes + labels.cpu(), minlength=(int(group.max()) + 1) * classes)
    return len(labels) - int(counts.view(-1, classes).max(1).values.sum())
