"""Formats of files: IDX, npy and npz, csv, pictures; read and checked, their sizes before memory is taken."""
