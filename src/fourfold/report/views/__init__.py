"""What a trained network sees and makes of its data, drawn: the figures of `fourfold look` and of a run's page."""
