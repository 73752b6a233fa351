"""From stored answers to what people read: a table, figures with intervals, a page of questions."""
