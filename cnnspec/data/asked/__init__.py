"""Inputs for prediction, read and converted to what the network takes."""
