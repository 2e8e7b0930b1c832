"""How numbers and shapes come about: trace, why, gradcheck, receptive fields."""
