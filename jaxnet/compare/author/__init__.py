"""Runs an author's program on small data, and finds and judges the step that it takes."""
