"""What every package of this repository shares; it knows no plugin.

Each package ships its own copy as `_core`, so that each wheel stands alone.
"""
