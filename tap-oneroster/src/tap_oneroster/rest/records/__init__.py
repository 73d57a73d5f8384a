"""Read pages of a service into records."""
