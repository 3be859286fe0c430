"""Algorithms: how parameters move."""

from fourfold.core.registry import Entry, Table

ALGORITHMS = Table(
    "algorithm",
    {
        "supervised": Entry("fourfold.algorithms.supervised:SupervisedConfig", "gradient descent on labelled batches"),
        "perceptron_rule": Entry(
            "fourfold.algorithms.perceptron_rule:PerceptronRuleConfig", "Rosenblatt's rule for threshold units (1958)"
        ),
        "linear_gradient_descent": Entry(
            "fourfold.algorithms.linear_gradient_descent:LinearGradientDescentConfig",
            "least squares by derivatives worked out by hand",
        ),
        "normal_equation": Entry(
            "fourfold.algorithms.normal_equation:NormalEquationConfig", "least squares in closed form (1805)"
        ),
        "svm": Entry("fourfold.algorithms.svm:SVMConfig", "the widest margins, for a kernel machine (1995)"),
        "counting": Entry(
            "fourfold.algorithms.counting:CountingConfig", "one pass that counts, for a Markov model (1913)"
        ),
        "q_learning": Entry(
            "fourfold.algorithms.q_learning:QLearningConfig", "acts, remembers, and learns what actions lead to (2013)"
        ),
        "bagging": Entry(
            "fourfold.algorithms.bagging:BaggingConfig", "networks on bootstrap samples, averaged (Breiman 1996)"
        ),
        "boosting": Entry(
            "fourfold.algorithms.boosting:BoostingConfig", "each network on what those before it got wrong (AdaBoost)"
        ),
        "adversarial": Entry(
            "fourfold.algorithms.adversarial:AdversarialConfig", "a generator and a discriminator in a game (2014)"
        ),
    },
)
