"""What everything rests on: configs, part tables, recipes, random streams, errors. Imports no torch."""
