"""What is asked of the model beside its rows: near states, and the same answers, in two languages."""
