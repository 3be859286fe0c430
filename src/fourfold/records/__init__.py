"""The run folder and its index; never imports torch."""
