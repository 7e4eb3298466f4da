"""Argo CD's way to the health of an object, as a program: scripts and objects in, their health out."""

from pathlib import Path

MODULE = Path(__file__).resolve().parent
