"""The primitives of plans: each knows its gradient, its value by the definition, and its lines."""
