"""Pure functions from a table of answers to figures with their uncertainty."""
