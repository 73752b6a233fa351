"""How close the languages are inside a model, layer by layer."""
