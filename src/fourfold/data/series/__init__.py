"""Series: numbers in the order of time, to be forecast, and generated sequences whose answer lies far back."""
