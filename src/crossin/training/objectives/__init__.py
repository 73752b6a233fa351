"""The terms of the loss on pairs: near states, and the same answers, in two languages."""
