"""A user's own table: read, understood, split, encoded, every decision written down."""
