"""Is a hand-written gradient right, and if not, what is it?"""
