"""The parts of the agent. They run in the interpreter under examination: standard library only, Python 3.8 and newer.

The name is one that no environment has, so that nothing of the user's hides them and they hide nothing. Types are imported
for type checkers alone: `typing` takes longer to load than all of the parts.
"""
