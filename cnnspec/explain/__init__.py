"""Explanations of numbers and shapes: trace, why, gradcheck, receptive fields."""
