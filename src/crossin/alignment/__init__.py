"""Which rows of parallel files are not translations of each other, without a model or a network."""
