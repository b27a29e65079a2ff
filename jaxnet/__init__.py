"""Small dense networks in JAX, and whether a backward pass written by hand is right.

The names below are listed in `__init__.pyi` and loaded when first used, so that `jaxnet --help` need not wait
for JAX.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
