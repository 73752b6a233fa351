"""Which rows that claim to be translations of each other are not, told without a model or a network."""
