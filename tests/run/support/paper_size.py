"""Which recipes are of their paper's size, by how their names end: to train one takes its data, and days.

No test trains them. The paper's number stands alone in such a recipe until someone has both; test_paper_size.py has
their parts, and benchmarks/expected.py leaves them out in the same way.
"""

PAPER_SIZE = (
    *("-atari-dqn", "-atari-dqn2013", "-cifar10", "-imagenet", "-wikitext", "-wmt14", "gpt2"),
    *("bert-base-sst2", "bert-base-stsb", "bert-base-conll2003", "goodfellow-mnist"),
)
