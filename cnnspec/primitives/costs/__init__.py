"""What costs are made of, and their gradients."""
