"""Records that came, matched to the model."""
