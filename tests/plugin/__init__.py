"""The kubectl plugin, run by a real kubectl against a real control plane."""
