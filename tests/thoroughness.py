"""How often a property is tried: a quarter of what its test says, and all of it by

pytest --hypothesis-profile=thorough
"""

from hypothesis import settings


def load_profiles():
    """A profile holds how many of a hundred examples are tried; that of the command line wins.

    However long one takes: a busy machine fails no test.
    """
    for name, tried in (("quick", 25), ("thorough", 100)):
        settings.register_profile(name, settings.default, max_examples=tried, deadline=None)
    settings.load_profile("quick")


def examples(n):
    """Return how many examples are tried by a test that tries `n` when it is thorough."""
    return max(n * settings.default.max_examples // 100, min(n, 10))
