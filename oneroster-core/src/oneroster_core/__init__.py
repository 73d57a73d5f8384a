"""Code that every package of this repository shares; it does not depend on any plugin.

Each package ships its own copy as `_core`, so each wheel works without the others.
"""
