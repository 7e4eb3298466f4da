"""The tests of the checkers: whatever is planted must be found, and nothing else."""
