"""Experience replay: what was met is kept, and learned from again."""
