"""Examples for whom makes more of them, and how good what they make is."""
