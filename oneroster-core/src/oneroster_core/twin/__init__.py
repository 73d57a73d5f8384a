"""What one consumer may see: a policy, pseudonyms, replacements and scope. Pure; knows no source and no Singer.

Layers, from the bottom: `keys` and `words`, `policy`, `treatments`, `plan`; `scope` and `elements` beside them.
"""
