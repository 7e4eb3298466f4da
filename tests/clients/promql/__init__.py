"""The parser of PromQL as a program: expressions in, what is wrong with them out."""

from pathlib import Path

MODULE = Path(__file__).resolve().parent
