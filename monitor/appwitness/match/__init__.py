"""Finds known values in an upload, and who read them; knows nothing of consent, rules, recipients or laws.

Start with `linking.Linker.link`, which is the whole process:

1. `decode`: the bytes of an upload become leaves, each with its path;
2. `finding`: each finder is asked where a value occurs in them, in any of its `variants`;
3. `belief`: decides which of these hits to believe, and why;
4. `linking`: finds the earlier read that each value came from.
"""
