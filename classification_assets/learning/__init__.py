"""Neural-network classifiers in plain PyTorch, scikit-learn and matplotlib; usable without Dagster."""
