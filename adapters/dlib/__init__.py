"""Faces by dlib's detector of frontal faces, whose weights are part of the library."""
