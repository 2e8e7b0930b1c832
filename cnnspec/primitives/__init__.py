"""What a plan is made of: each primitive knows its gradient, its value by the definition, and its lines."""
