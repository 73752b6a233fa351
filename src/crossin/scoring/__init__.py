"""From stored predictions to figures with their uncertainty."""
