"""Scenes of several database servers. They take minutes, and their installations lie in memory where there is room."""
import pathlib
import sys

sys.path[:0] = [str(pathlib.Path(__file__).parent), str(pathlib.Path(__file__).parents[1] / "system")]
