"""What is declared: a folder an experiment, and what spans them all."""
