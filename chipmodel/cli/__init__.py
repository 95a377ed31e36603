"""The commands: arguments in, answers and exit codes out.

Imports every other package; nothing imports it.
"""
