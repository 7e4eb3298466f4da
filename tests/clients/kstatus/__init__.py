"""kstatus as a program: objects in, their status out."""

from pathlib import Path

MODULE = Path(__file__).resolve().parent
