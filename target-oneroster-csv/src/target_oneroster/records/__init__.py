"""Match received records to the model."""
