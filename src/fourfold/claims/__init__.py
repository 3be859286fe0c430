"""Claims of the literature, each an experiment with a rule written before the run."""
