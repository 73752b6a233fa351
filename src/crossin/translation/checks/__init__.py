"""The quality filters: checks that a translation must pass."""
