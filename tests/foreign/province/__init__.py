"""A province that speaks with Fenghuo nodes and shares no code with them: built from partner.proto alone."""

import pathlib
import sys

# The generated modules import each other by the names of the contract ("fenghuo.partner.v1").
sys.path.insert(0, str(pathlib.Path(__file__).parent / "generated"))
