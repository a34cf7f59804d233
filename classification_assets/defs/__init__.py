"""Declarations: a folder for each experiment, and a file for each thing that spans them all."""
