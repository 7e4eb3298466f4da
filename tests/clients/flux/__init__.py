"""Flux's way to apply an object, as a program: an object in, what was done out."""

from pathlib import Path

MODULE = Path(__file__).resolve().parent
