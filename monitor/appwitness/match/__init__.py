"""Finds known values in an upload and says who read what was sent; knows nothing of consent, rules, recipients or laws.

The whole way is told by `linking.Linker.link`, which is worth reading first:

1. `decode`: the bytes of an upload become leaves, each with its path;
2. `finding`: each finder is asked where a value stands in them, in any of its `variants`;
3. `belief`: which of these hits to believe, and why;
4. `linking`: which earlier read each value came from.
"""
